"""Over real connections to a server made by hand."""

from itertools import count

import pytest
from anyio.from_thread import BlockingPortal

from evaluation.errors import LoadError
from evaluation.serving_bench.client import Client
from evaluation.serving_bench.figures import Call
from tests.evaluation.serving_bench.conftest import Fake, Open


def client(url: str, portal: BlockingPortal, patience: float = 20.0) -> Client:
    return Client(url, "kb one", (f"question {n}" for n in count()), portal, patience)


def test_clients_ask_until_the_time_is_up(opened: Open, portal: BlockingPortal) -> None:
    fake = Fake()
    asked = client(opened(fake), portal).closed_loop(Call.SEARCH, 3, 0.2)
    assert asked.answered == len(asked.latencies) == fake.called["search"] >= 3
    assert asked.rate == asked.answered / asked.seconds
    assert asked.seconds >= 0.2
    assert asked.processor > 0
    sent = [one["query"] for one in fake.sent["search"]]
    assert len(set(sent)) == len(sent)


def test_requests_come_when_they_are_due(opened: Open, portal: BlockingPortal) -> None:
    fake = Fake()
    asked = client(opened(fake), portal).open_loop(Call.ASK, [0.0, 0.0, 0.05])
    assert asked.answered == 3
    assert sorted(one["question"] for one in fake.sent["ask"]) == [
        f"question {n}" for n in range(3)
    ]


def test_errors_are_counted_by_status(opened: Open, portal: BlockingPortal) -> None:
    fake = Fake(refuses={"ask": 429}, every=2)
    asked = client(opened(fake), portal).open_loop(Call.ASK, [0.0] * 6)
    assert asked.errors == {"429": 3}
    assert asked.latencies.count(None) == asked.answered == 3


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_none_that_is_answered_ends_it(opened: Open, portal: BlockingPortal, loop: str) -> None:
    asking = client(opened(Fake(refuses={"ask": 503})), portal)
    with pytest.raises(LoadError, match=r"/kb/kb%20one/ask answers none .* 503: no ask today"):
        if loop == "open":
            asking.open_loop(Call.ASK, [0.0, 0.0])
        else:
            asking.closed_loop(Call.ASK, 2, 0.01)


def test_a_server_that_hangs_is_not_waited_for(silent: str, portal: BlockingPortal) -> None:
    asking = client(silent, portal, patience=0.05)
    with pytest.raises(LoadError, match=r"within 0\.05 s; the last: no reply in time"):
        asking.closed_loop(Call.SEARCH, 2, 0.01)
    with pytest.raises(LoadError, match="the last: no reply in time"):
        asking.open_loop(Call.SEARCH, [0.0])
    with pytest.raises(LoadError, match="doesn't answer: no reply in time"):
        asking.tell("GET", "/info")


def test_nobody_there(portal: BlockingPortal) -> None:
    asking = client("http://127.0.0.1:1", portal)
    with pytest.raises(LoadError, match=r"127\.0\.0\.1:1/info doesn't answer: .*111"):
        asking.tell("GET", "/info")
    with pytest.raises(LoadError, match="answers none of 2 requests"):
        asking.closed_loop(Call.SEARCH, 2, 30.0)  # nor does it try for 30 s


def test_a_refusal_is_told(opened: Open, portal: BlockingPortal) -> None:
    asking = client(opened(Fake(refuses={"kb": 404})), portal)
    with pytest.raises(LoadError, match=r"GET .*/kb is answered with 404: no kb today"):
        asking.tell("GET", "/kb")
    assert asking.tell("GET", "/info")["version"] == "0.1.0"
