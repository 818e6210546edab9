"""What two data directories have in common, and that a difference is seen."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import delete, select

from evaluation.beir import Entry
from evaluation.crash.plan import Sending, planned, read_plan, write_plan
from evaluation.crash.state import state_of
from retrieval.schema import chunks, embeddings
from tests.conftest import OpenEngine
from tests.ingest.workshop import Workshop, note


def test_equal_ways_lead_to_equal_states(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    states = []
    for name in ("one", "other"):
        shop = Workshop(lambda backend, name=name: open_test_engine(backend, tmp_path / name))
        shop.ingest(note("a", "Zebra here."))
        shop.ingest(note("b", "Lion here. 退货。"))
        states.append(state_of(shop.engine, shop.kb))
    assert states[0].differences(states[1]) == []
    assert len(states[0].chunks) == len(states[0].in_vectors) == len(states[0].in_postings) == 2


def test_every_loss_is_a_difference(open_test_engine: OpenEngine) -> None:
    shop = Workshop(open_test_engine)
    shop.ingest(note("a", "Zebra here."))
    shop.ingest(note("b", "Lion here."))
    whole = state_of(shop.engine, shop.kb)
    with shop.engine.database.read() as connection:
        chunk = connection.scalar(select(chunks.c.id).limit(1)) or ""
    shop.engine.stores.vectors(shop.kb.generation.id).delete([chunk])
    assert whole.differences(state_of(shop.engine, shop.kb)) == ["vector store: 1 differ"]
    shop.engine.stores.lexical(shop.kb.generation.id).delete([chunk])
    shop.engine.blobs.delete(next(iter(shop.engine.blobs.digests())))
    assert whole.differences(state_of(shop.engine, shop.kb))[1:] == [
        "postings: 1 differ",
        "original bytes: 1 differ",
    ]
    moved = replace(whole, chunks={key: -vector for key, vector in whole.chunks.items()})
    assert whole.differences(moved) == ["vectors: 2 differ"]
    with shop.engine.database.write() as connection:
        connection.execute(delete(embeddings))
    assert "cached vectors: 2 and 0" in whole.differences(state_of(shop.engine, shop.kb))


def test_a_plan_sends_some_texts_twice(tmp_path: Path) -> None:
    files = [tmp_path / "a.md", tmp_path / "b.md"]
    plan = planned(files, [Entry(f"{n}", "t", f"Text {n}.") for n in range(10)])
    assert len(plan) == 2 + 10 + 2
    assert [one.uri for one in plan[-2:]] == ["text/0", "text/5"]
    assert plan[-1].text == "Text 5. It has been changed since."
    write_plan(tmp_path / "plan", plan)
    assert list(read_plan(tmp_path / "plan")) == plan
    assert Sending("u", title="t", text="x").source().media_type == "text/plain"
