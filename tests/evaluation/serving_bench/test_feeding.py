"""Over real connections to a server made by hand."""

from itertools import count

import pytest
from anyio.from_thread import BlockingPortal

from evaluation.beir import Entry
from evaluation.errors import LoadError
from evaluation.serving_bench.feeding import Feeder
from evaluation.serving_bench.wording import documents
from tests.evaluation.serving_bench.conftest import Fake, Open

CORPUS = tuple(Entry(str(n), "", f"Text number {n}.") for n in range(30))


def feeder(url: str, patience: float = 20.0) -> Feeder:
    return Feeder(f"{url}/kb/kb", documents(CORPUS, ""), patience)


def test_so_many_are_sent_and_no_more(opened: Open, portal: BlockingPortal) -> None:
    fake = Fake()
    seen: list[int] = []
    one = feeder(opened(fake))
    portal.call(one.feed, 21, seen.append)
    assert one.texts == 21
    assert sorted(seen)[-1] == 21
    assert len({sent["uri"] for sent in fake.sent["documents"]}) == 21
    portal.call(one.feed, 2, seen.append)
    assert len({sent["uri"] for sent in fake.sent["documents"]}) == 23  # further ones


def test_it_sends_until_it_is_told_to_stop(opened: Open, portal: BlockingPortal) -> None:
    fake = Fake()
    one = feeder(opened(fake))
    running = portal.start_task_soon(one.run)
    for _ in count():
        if one.texts > 100:  # more than there are: copies
            break
    assert not running.done()
    one.stop()
    running.result(20)
    assert one.texts == len(fake.sent["documents"])
    one.check()


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (Fake(refuses={"documents": 429}), "is answered with 429: no documents today"),
        (
            Fake(job={"state": "failed", "error": {"message": "too long"}}),
            "No document became searchable: too long",
        ),
        (Fake(job={"state": "queued", "error": None}), "No document became searchable: none"),
    ],
)
def test_documents_that_are_not_taken_in_are_told(
    opened: Open, portal: BlockingPortal, fake: Fake, said: str
) -> None:
    with pytest.raises(LoadError, match=said):
        portal.call(feeder(opened(fake)).feed, 10, lambda _: None)


def test_a_server_that_hangs_is_not_waited_for(silent: str, portal: BlockingPortal) -> None:
    with pytest.raises(LoadError, match="doesn't answer: no reply in time"):
        portal.call(feeder(silent, 0.05).feed, 10, lambda _: None)


def test_one_that_fails_while_it_runs_says_so_when_it_is_asked(
    opened: Open, portal: BlockingPortal
) -> None:
    one = feeder(opened(Fake(refuses={"documents": 503}, every=3)))
    portal.start_task_soon(one.run).result(20)
    with pytest.raises(LoadError, match="503"):
        one.check()
