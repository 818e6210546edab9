from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select

from retrieval.answer_log import AnswerLog, AnswerSummary
from retrieval.conversation import Turn
from retrieval.errors import AnswerNotFound, DocumentNotFound
from retrieval.inspection import Inspection
from retrieval.schema import answer_documents, answers
from tests.retrieval.library import Library
from tests.retrieval.recorded import candidate, citation, record

Keep = Callable[..., str]
TALK = (Turn("user", "Hello"), Turn("assistant", "The zebra is striped. [1]"))


@pytest.fixture
def log(library: Library) -> AnswerLog:
    return library.engine.answers


@pytest.fixture
def keep(library: Library, log: AnswerLog) -> Keep:
    """Keeps a record that has found some documents, and cites one."""

    def kept(*found: str, cited: str = "", talk: bool = False, kb: str = "library") -> str:
        of_hits, quoted = [candidate(key) for key in found], [citation(cited)] if cited else []
        made = record(TALK if talk else (), of_hits, quoted)
        return log.add(library.engine.knowledge_bases.get(kb), made)

    return kept


def left(library: Library) -> tuple[int, int]:
    with library.engine.database.read() as connection:
        counts = (select(func.count()).select_from(table) for table in (answers, answer_documents))
        first, second = (connection.scalar(count) or 0 for count in counts)
    return first, second


def test_a_record_is_kept_found_and_forgotten(library: Library, log: AnswerLog) -> None:
    document = library.add("a", "Zebra.").document_id
    made = record(TALK, [candidate(document)], [citation(document)], seed=7)
    key = log.add(library.kb, made)
    stored = log.get(library.kb, key)
    assert (stored.id, stored.kb_id, stored.record) == (key, library.kb.id, made)
    assert log.find(key) == stored
    log.remove(library.kb, key)
    assert left(library) == (0, 0)


def test_a_list_has_the_newest_first_and_the_little_that_it_shows(
    library: Library, log: AnswerLog, keep: Keep
) -> None:
    document = library.add("d1", "It runs 🍵.").document_id
    made = replace(record(candidates=[candidate(document)], citations=[]), model="tiny")
    first, second = keep(), log.add(library.kb, made)
    shown = log.list(library.kb, 10)
    assert [(one.id, one.model) for one in shown] == [(second, "tiny"), (first, "extractive")]
    said = ("运行?", "It runs 🍵. [1]", "tiny", False, 0.1 + 0.2)
    assert shown[0] == AnswerSummary(second, shown[0].created_at, *said)
    assert log.list(library.kb, 1, 1) == shown[1:]
    assert log.count(library.kb) == 2


def test_what_is_not_there_is_named(library: Library, log: AnswerLog, keep: Keep) -> None:
    other, _ = library.engine.create("other")
    key = keep(library.add("a", "Zebra.").document_id)
    for lost in (
        lambda: log.get(other, key),
        lambda: log.remove(other, key),
        lambda: log.get(library.kb, "nope"),
        lambda: log.find("nope"),
    ):
        with pytest.raises(AnswerNotFound, match="FOOTNOTE_STORE_ANSWERS"):
            lost()
    assert log.count(library.kb) == 1


def test_text_of_a_deleted_document_is_not_stored(library: Library, keep: Keep) -> None:
    document = library.add("a", "Zebra.").document_id
    library.engine.create("other")
    for kb, gone in (("library", "gone"), ("other", document)):
        with pytest.raises(DocumentNotFound, match=gone):
            keep(document, cited=gone, kb=kb)
    assert left(library) == (0, 0)


def test_an_answer_goes_with_each_document_that_it_holds_text_of(
    library: Library, log: AnswerLog, keep: Keep
) -> None:
    found, cited, third = (library.add(uri, f"Zebra {uri}.").document_id for uri in "abc")
    keep(found)
    both, other, nothing = keep(cited, found), keep(third, cited=cited), keep()
    library.indexer.remove(library.kb, found)
    assert {one.id for one in log.list(library.kb, 10)} == {other, nothing}
    with pytest.raises(AnswerNotFound):
        log.find(both)
    library.indexer.remove(library.kb, cited)
    assert [one.id for one in log.list(library.kb, 10)] == [nothing]
    assert left(library) == (1, 0)


def test_what_continues_a_conversation_goes_with_any_document(
    library: Library, log: AnswerLog, keep: Keep
) -> None:
    first, second = (library.add(uri, f"Zebra {uri}.").document_id for uri in "ab")
    elsewhere, _ = library.engine.create("other")
    alone = keep(second)
    keep(second, talk=True)
    keep(talk=True)
    beside = keep(talk=True, kb="other")
    library.indexer.remove(library.kb, first)
    assert [one.id for one in log.list(library.kb, 10)] == [alone]
    assert [one.id for one in log.list(elsewhere, 10)] == [beside]


def test_a_new_version_leaves_what_was_answered_from_the_old_one(
    library: Library, log: AnswerLog, keep: Keep
) -> None:
    keep(library.add("a", "Zebra.").document_id)
    library.add("a", "Zebra and lion.")
    assert log.count(library.kb) == 1


def test_nothing_is_left_when_the_knowledge_base_is_deleted(library: Library, keep: Keep) -> None:
    keep(library.add("a", "Zebra.").document_id)
    keep(talk=True)
    library.indexer.remove_knowledge_base(library.kb)
    assert left(library) == (0, 0)


def test_that_nothing_is_left_is_proved(library: Library, keep: Keep) -> None:
    engine = library.engine
    document = library.add("a", "Zebra.").document_id
    keep(document)
    inspection = Inspection(engine.database, engine.stores, engine.blobs)

    def wrong() -> set[str]:
        return {one.subject for one in inspection.trace(document) if not one.ok}

    assert {"table answers", "table answer_documents"} <= wrong()
    with engine.database.write() as connection:  # as if only the list beside had been cleared
        connection.execute(delete(answer_documents))
    assert "table answers" in wrong()
    keep(document)
    engine.indexer.remove(library.kb, document)
    engine.indexer.settle()
    assert wrong() == {"table answers"}
    with engine.database.write() as connection:
        connection.execute(delete(answers))
    assert wrong() == set()
