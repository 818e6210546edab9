"""Against a server made by hand; one of its own is in the tests of the command."""

from dataclasses import replace

import pytest

from evaluation.beir import Dataset, Entry
from evaluation.errors import LoadError
from evaluation.latency import Load
from evaluation.serving_bench import measuring
from evaluation.serving_bench.figures import Beside, Call
from evaluation.serving_bench.measuring import Plan, measure
from tests.evaluation.serving_bench.conftest import Fake, Open

PLAN = Plan(
    data=Dataset(
        "set",
        tuple(Entry(str(n), "", f"Text {n}.") for n in range(5)),
        {"q1": "When?", "q2": "Why?"},
        {},
    ),
    calls=(Call.SEARCH, Call.ASK),
    command=(),
    url="",
    kb="kb",
    documents=1,
    ingests=True,
    clients=2,
    rounds=2,
    load=Load((400.0, 800.0), 0.05, 0),
    patience=20.0,
    same_questions=False,
    command_line="footnote bench serve",
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_WARM_UP", 0.01)


def quiet(_what: str, _total: int) -> object:
    return lambda _done: None


def test_every_case_is_measured_in_every_round(opened: Open) -> None:
    fake, seen = Fake(), []
    plan = replace(PLAN, url=opened(fake))
    bench = measure(plan, lambda what, total: lambda done: seen.append((what, done, total)))
    assert seen == [("measurements", n, 24) for n in range(1, 25)]
    assert [(one.call, one.beside, one.latency.rate) for one in bench.steps] == [
        (call, beside, rate) for beside in Beside for call in Call for rate in (400.0, 800.0)
    ]
    assert [one.latency.requests for one in bench.steps] == [40, 80] * 4
    assert [(one.call, one.beside) for one in bench.throughputs] == [
        (call, beside) for beside in Beside for call in Call
    ]
    assert {one.ingested is None for one in bench.steps if one.beside is Beside.NOTHING} == {True}
    (beside,) = bench.ingestions
    assert beside.while_asked
    assert 0 < beside.texts <= len(fake.sent["documents"])
    assert (bench.documents, bench.chunks, bench.memory) == (3, 4, None)
    assert bench.server == "Footnote 0.1.0, hashing in float32, answers by extractive"
    asked = [one["query"] for one in fake.sent["search"]]
    asked += [one["question"] for one in fake.sent["ask"]]
    assert len(set(asked)) == len(asked)


def test_nothing_is_written_into_a_server_that_is_only_measured(opened: Open) -> None:
    fake = Fake()
    bench = measure(replace(PLAN, url=opened(fake), ingests=False), lambda *_: lambda _: None)
    assert bench.ingestions == ()
    assert {one.beside for one in bench.steps} == {Beside.NOTHING}
    assert set(fake.sent) == {"search", "ask"}


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (Fake(info={"version": "1"}), r"isn't Footnote: its /info is \{'version': '1'\}"),
        (Fake(info=[]), "isn't Footnote"),
        (Fake(refuses={"kb": 404}), "is answered with 404: no kb today"),
        (Fake(refuses={"search": 500}), "search answers none of .* 500: no search today"),
        (Fake(refuses={"documents": 429}, every=2), "documents.* is answered with 429"),
    ],
)
def test_a_server_that_refuses_ends_it(opened: Open, fake: Fake, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        measure(replace(PLAN, url=opened(fake)), lambda *_: lambda _: None)
