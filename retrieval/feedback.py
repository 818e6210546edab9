"""What people said of documents and passages: whether they helped with a question."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, delete, func, select

from retrieval.database import Database
from retrieval.errors import DocumentNotFound, FeedbackNotFound, InvalidRequest
from retrieval.schema import documents, feedback, versions
from retrieval.search import Query
from retrieval.types import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says of a document, or of a span of it, as an answer to a question.

    `version` None is the live one. `start` and `end` are code points of its canonical text, both
    None where the whole document is meant.
    """

    question: str
    document_id: str
    helpful: bool
    version: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """An opinion as it is kept. `live`: searches still see the version that it is of."""

    id: str
    question: str
    document_id: str
    uri: str
    version: str
    live: bool
    start: int | None
    end: int | None
    helpful: bool
    created_at: float


class FeedbackLog:
    """Keeps feedback for as long as its document is there. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kb: KnowledgeBase, opinion: Opinion) -> Feedback:
        """Keep an opinion. Raises DocumentNotFound, also for a version, and InvalidRequest, also
        for a question that can't be searched for.
        """
        Query(opinion.question)
        wanted = documents.c.live_version if opinion.version is None else opinion.version
        version = (
            select(versions.c.version, versions.c.characters)
            .join(documents, documents.c.id == versions.c.document_id)
            .where(
                documents.c.kb_id == kb.id,
                documents.c.id == opinion.document_id,
                versions.c.version == wanted,
            )
        )
        with self._database.write() as connection:  # so that nobody deletes the document meanwhile
            found = connection.execute(version).first()
            if found is None:
                raise DocumentNotFound(opinion.document_id, kb.name, opinion.version)
            check_span(opinion.start, opinion.end, found.characters)
            key = uuid.uuid4().hex
            connection.execute(
                feedback.insert().values(
                    id=key,
                    kb_id=kb.id,
                    document_id=opinion.document_id,
                    version=found.version,
                    question=opinion.question,
                    start=opinion.start,
                    end=opinion.end,
                    helpful=opinion.helpful,
                    created_at=time.time(),
                )
            )
            return _from_row(connection.execute(_of(kb).where(feedback.c.id == key)).one())

    def list(self, kb: KnowledgeBase, limit: int, offset: int = 0) -> list[Feedback]:
        """What was said of a knowledge base, the newest first."""
        query = _of(kb).order_by(feedback.c.created_at.desc(), feedback.c.id)
        with self._database.read() as connection:
            return [_from_row(row) for row in connection.execute(query.limit(limit).offset(offset))]

    def count(self, kb: KnowledgeBase) -> int:
        query = select(func.count()).select_from(feedback).where(feedback.c.kb_id == kb.id)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def remove(self, kb: KnowledgeBase, feedback_id: str) -> None:
        """Forget what was said. Raises FeedbackNotFound."""
        mine = (feedback.c.kb_id == kb.id) & (feedback.c.id == feedback_id)
        with self._database.write() as connection:
            if connection.execute(delete(feedback).where(mine)).rowcount == 0:
                raise FeedbackNotFound(feedback_id, kb.name)


def check_span(start: int | None, end: int | None, length: int) -> None:
    """Raises InvalidRequest unless both are None, or a span of a text of so many code points."""
    if (start is None) != (end is None):
        raise InvalidRequest("A span has a start and an end: give both, or neither.")
    if start is not None and end is not None and not 0 <= start < end <= length:
        raise InvalidRequest(
            f"{start} to {end} isn't a span of the document, whose text has {length} code points."
        )


def _of(kb: KnowledgeBase) -> Select[*tuple[Any, ...]]:
    return (
        select(
            feedback,
            documents.c.uri,
            (feedback.c.version == documents.c.live_version).label("live"),
        )
        .join(documents, documents.c.id == feedback.c.document_id)
        .where(feedback.c.kb_id == kb.id)
    )


def _from_row(row: Row[*tuple[Any, ...]]) -> Feedback:
    return Feedback(
        id=row.id,
        question=row.question,
        document_id=row.document_id,
        uri=row.uri,
        version=row.version,
        live=bool(row.live),
        start=row.start,
        end=row.end,
        helpful=row.helpful,
        created_at=row.created_at,
    )
