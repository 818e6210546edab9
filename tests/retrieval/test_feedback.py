import pytest
from sqlalchemy import func, select

from retrieval.errors import DocumentNotFound, FeedbackNotFound, InvalidRequest
from retrieval.feedback import FeedbackLog, Opinion
from retrieval.inspection import Inspection
from retrieval.schema import feedback
from tests.retrieval.library import Library

TEXT = "运费险由禾安保险承保。理赔时限是七天🍵。"


@pytest.fixture
def log(library: Library) -> FeedbackLog:
    return library.engine.feedback


def test_an_opinion_is_kept_of_the_live_version(library: Library, log: FeedbackLog) -> None:
    document = library.add("运费", TEXT)
    kept = log.add(library.kb, Opinion("多久理赔？", document.document_id, True, None, 11, 20))
    assert (kept.uri, kept.version, kept.live) == ("运费", document.version, True)
    assert TEXT[kept.start : kept.end] == "理赔时限是七天🍵。"
    whole = log.add(library.kb, Opinion("谁承保？", document.document_id, False))
    assert (whole.start, whole.end, whole.helpful) == (None, None, False)
    assert log.list(library.kb, 10) == [whole, kept]
    assert log.list(library.kb, 1, 1) == [kept]
    assert log.count(library.kb) == 2


def test_a_new_version_leaves_it_that_of_the_old_one(library: Library, log: FeedbackLog) -> None:
    old = library.add("运费", TEXT)
    log.add(library.kb, Opinion("多久？", old.document_id, True, None, 11, 20))
    new = library.add("运费", "七天。")
    [kept] = log.list(library.kb, 10)
    assert (kept.version, kept.live) == (old.version, False)
    with pytest.raises(InvalidRequest, match="text has 3 code points"):
        log.add(library.kb, Opinion("多久？", new.document_id, True, None, 11, 20))
    again = log.add(library.kb, Opinion("多久？", new.document_id, True, old.version, 11, 20))
    assert (again.version, again.live) == (old.version, False)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (3, None, "a start and an end"),
        (None, 3, "a start and an end"),
        (3, 3, "3 to 3 isn't a span"),
        (-1, 3, "-1 to 3 isn't a span"),
        (0, len(TEXT) + 1, f"has {len(TEXT)} code points"),
    ],
)
def test_what_is_no_span_is_refused(
    library: Library, log: FeedbackLog, start: int | None, end: int | None, message: str
) -> None:
    document = library.add("运费", TEXT)
    with pytest.raises(InvalidRequest, match=message):
        log.add(library.kb, Opinion("多久？", document.document_id, True, None, start, end))
    assert log.count(library.kb) == 0


def test_what_is_not_there_is_named(library: Library, log: FeedbackLog) -> None:
    document = library.add("运费", TEXT)
    other, _ = library.engine.create("other")
    for kb, key, version in (
        (library.kb, "nope", None),
        (library.kb, document.document_id, "nope"),
        (other, document.document_id, None),
    ):
        with pytest.raises(DocumentNotFound):
            log.add(kb, Opinion("多久？", key, True, version))
    with pytest.raises(InvalidRequest, match="query is empty"):
        log.add(library.kb, Opinion(" \n", document.document_id, True))
    with pytest.raises(InvalidRequest, match="isn't whole Unicode"):
        log.add(library.kb, Opinion("\ud800", document.document_id, True))
    kept = log.add(library.kb, Opinion("多久？", document.document_id, True))
    with pytest.raises(FeedbackNotFound, match="'other' has no feedback"):
        log.remove(other, kept.id)
    log.remove(library.kb, kept.id)
    assert log.count(library.kb) == 0


def test_nothing_is_left_of_it_when_its_document_is_deleted(
    library: Library, log: FeedbackLog
) -> None:
    engine = library.engine
    document = library.add("运费", TEXT)
    library.add("other", "Zebras.")
    log.add(library.kb, Opinion("多久？", document.document_id, True))
    inspection = Inspection(engine.database, engine.stores, engine.blobs)
    subjects = {one.subject: one.ok for one in inspection.trace(document.document_id)}
    assert subjects["table feedback"] is False
    engine.indexer.remove(library.kb, document.document_id)
    engine.indexer.settle()
    assert all(one.ok for one in inspection.trace(document.document_id))


def test_nothing_is_left_of_it_when_its_knowledge_base_is_deleted(
    library: Library, log: FeedbackLog
) -> None:
    document = library.add("运费", TEXT)
    log.add(library.kb, Opinion("多久？", document.document_id, True))
    library.engine.indexer.remove_knowledge_base(library.kb)
    with library.engine.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(feedback)) == 0


def test_a_document_is_named_by_its_id_or_its_uri(library: Library) -> None:
    documents = library.engine.documents
    first = library.add("运费", TEXT)
    second = library.add(first.document_id, "A document whose uri is another's id.")
    assert documents.named(library.kb, "运费") == first.document_id
    assert documents.named(library.kb, first.document_id) == first.document_id
    assert documents.named(library.kb, second.document_id) == second.document_id
    with pytest.raises(DocumentNotFound, match="'gone'"):
        documents.named(library.kb, "gone")
