"""Stored answers, for as long as every document is there that they hold text of."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, or_, select

from retrieval import access
from retrieval.database import Database
from retrieval.errors import AnswerNotFound, DocumentNotFound
from retrieval.records import Record, StoredAnswer
from retrieval.schema import answer_documents, answers, documents
from retrieval.types import KnowledgeBase

_RECORD = answers.c.record
_SUMMARY = select(
    answers.c.id,
    answers.c.created_at,
    _RECORD["question"]["text"].as_string().label("question"),
    _RECORD["said"]["text"].as_string().label("text"),
    _RECORD["model"].as_string().label("model"),
    _RECORD["said"]["abstained"].as_boolean().label("abstained"),
    _RECORD["said"]["confidence"].as_float().label("confidence"),
)


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """What a list of stored answers shows of each."""

    id: str
    created_at: float
    question: str
    text: str
    model: str
    abstained: bool
    confidence: float


class AnswerLog:
    """Keeps the records of answers. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kb: KnowledgeBase, record: Record) -> str:
        """Keep a record; its id. Raises DocumentNotFound where one that it holds text of has
        been deleted meanwhile.
        """
        key, named = uuid.uuid4().hex, sorted(record.documents)
        there = select(documents.c.id).where(documents.c.kb_id == kb.id, documents.c.id.in_(named))
        with self._database.write() as connection:  # so that nobody deletes one meanwhile
            if gone := set(named).difference(connection.scalars(there)):
                raise DocumentNotFound(min(gone), kb.name)
            connection.execute(
                answers.insert().values(
                    id=key,
                    kb_id=kb.id,
                    continues=record.continues,
                    record=record.to_json(),
                    created_at=time.time(),
                )
            )
            if named:
                rows = [{"answer_id": key, "document_id": one} for one in named]
                connection.execute(answer_documents.insert(), rows)
        return key

    def get(self, kb: KnowledgeBase, answer_id: str) -> StoredAnswer:
        """One of a knowledge base. Raises AnswerNotFound."""
        found = self._first(select(answers).where(_one(kb, answer_id)))
        if found is None:
            raise AnswerNotFound(answer_id, f"Knowledge base {kb.name!r}")
        return found

    def find(self, answer_id: str) -> StoredAnswer:
        """One of any knowledge base. Raises AnswerNotFound."""
        mine = access.restricted(answers.c.kb_id)
        found = self._first(select(answers).where(answers.c.id == answer_id, mine))
        if found is None:
            raise AnswerNotFound(answer_id, "The data directory")
        return found

    def list(self, kb: KnowledgeBase, limit: int, offset: int = 0) -> list[AnswerSummary]:
        """Those of a knowledge base, the newest first."""
        query = _SUMMARY.where(answers.c.kb_id == kb.id).limit(limit).offset(offset)
        query = query.order_by(answers.c.created_at.desc(), answers.c.id)
        with self._database.read() as connection:
            return [AnswerSummary(**row._mapping) for row in connection.execute(query)]

    def count(self, kb: KnowledgeBase) -> int:
        query = select(func.count()).select_from(answers).where(answers.c.kb_id == kb.id)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def remove(self, kb: KnowledgeBase, answer_id: str) -> None:
        """Forget one. Raises AnswerNotFound."""
        with self._database.write() as connection:
            if connection.execute(delete(answers).where(_one(kb, answer_id))).rowcount == 0:
                raise AnswerNotFound(answer_id, f"Knowledge base {kb.name!r}")

    def _first(self, query: Select[*tuple[Any, ...]]) -> StoredAnswer | None:
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return _from_row(row) if row else None


def forget_answers(connection: Connection, which: ColumnElement[bool]) -> None:
    """Delete the stored answers that hold text of these documents.

    One that continues a conversation may quote any document of its knowledge base in what was
    said before, so it goes with each.
    """
    linked = select(answer_documents.c.answer_id).where(
        answer_documents.c.document_id.in_(select(documents.c.id).where(which))
    )
    touched = answers.c.kb_id.in_(select(documents.c.kb_id).where(which))
    held = or_(answers.c.id.in_(linked), answers.c.continues & touched)
    connection.execute(delete(answers).where(held))


def _one(kb: KnowledgeBase, answer_id: str) -> ColumnElement[bool]:
    return (answers.c.kb_id == kb.id) & (answers.c.id == answer_id)


def _from_row(row: Row[*tuple[Any, ...]]) -> StoredAnswer:
    return StoredAnswer(row.id, row.kb_id, row.created_at, Record.from_json(row.record))
