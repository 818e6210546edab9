"""Whether a new generation is worse, on questions of the knowledge base's own."""

from evaluation.generations import Comparison, by_uri, compare, made_up
from evaluation.significance import chance_of_loss
from ingest.reindexing import Reindexing
from retrieval.types import Chunking
from tests.conftest import OpenEngine
from tests.ingest.workshop import Workshop, note


def test_chance_of_loss() -> None:
    assert chance_of_loss([0.0] * 50) == 1.0
    assert chance_of_loss([-0.1] * 20) < 0.001
    assert chance_of_loss([0.1] * 20) > 0.99
    assert 0.3 < chance_of_loss([0.5, -0.5, 0.1, -0.1]) < 0.8
    # Four losses of equal size: one of the sixteen ways to put signs is as low.
    assert abs(chance_of_loss([-1.0] * 4) - 1 / 16) < 0.01


def test_questions_are_made_of_the_text_and_lead_back_to_it(open_test_engine: OpenEngine) -> None:
    shop = Workshop(open_test_engine)
    for n in range(12):
        shop.ingest(
            note(
                f"{n}", f"Animal{n} lives in land{n} by river{n}. 第{n}条河流经过的城市叫做{n}号。"
            )
        )
    items = made_up(shop.engine, shop.kb, 24)
    assert items == made_up(shop.engine, shop.kb, 24)
    assert len(items) == 24
    assert {item.document_id for item in items} == {
        summary.id for summary in shop.engine.documents.list(shop.kb, 20)
    }
    target = Reindexing(shop.engine).begin(shop.kb, chunking=Chunking(64, 8))
    Reindexing(shop.engine).build(target, lambda *_: None)
    same = compare(shop.engine, shop.kb, target, items)
    assert (same.questions, same.worse) == (24, False)
    assert min(same.old, same.new) > 0.5
    empty = Reindexing(shop.engine).begin(shop.kb, chunking=Chunking(48, 8))
    worse = compare(shop.engine, shop.kb, empty, items)
    assert (worse.new, worse.worse) == (0.0, True)
    assert "significantly worse" in str(worse)
    [given] = by_uri(shop.engine, shop.kb, [("animal3 land3", "3")])
    assert compare(shop.engine, shop.kb, target, [given]).new == 1.0


def test_without_questions_nothing_is_worse() -> None:
    assert not Comparison(0, 0.0, 0.0, 1.0).worse
