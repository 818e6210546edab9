"""The lexical index of processes that share a catalogue: segments of postings in its Postgres.

A query asks the server which segments there are, and reads where its terms occur in them, unless
it knows: no segment ever changes. Then it ranks, by statistics that are counted from what it found,
and so can be neither late nor lost.

A write makes a segment of its own, marks what it replaces as deleted, and merges segments once
there are many. Writers of a store take turns, by a lock on its row, and lock nothing else; readers
wait for nobody.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Select, bindparam, delete, select

from retrieval.analysis import VERSION
from retrieval.errors import DataLost, StoreUnavailable
from retrieval.ports import Posting, Scored
from retrieval.question import term_weights
from retrieval.schema import word_segments, word_stores
from retrieval.sql import insert_new
from retrieval.stores.naming import checked
from retrieval.stores.ranking import Occurrences
from retrieval.stores.recent_lists import RecentLists
from retrieval.stores.segment_rows import (
    State,
    delete_segments,
    mark_deleted,
    read_lists,
    read_parts,
    read_segment,
    write_segment,
)
from retrieval.stores.segments import LARGEST, Segment, due, keys, merged, segment_of, texts

_SEGMENTS = (
    select(word_stores.c.analyser, word_segments.c.id, word_segments.c.revision)
    .join_from(word_stores, word_segments, isouter=True)
    .where(word_stores.c.name == bindparam("name"))
)


class Transactions(Protocol):
    """What a database offers: see `Database`."""

    def glance(self) -> AbstractContextManager[Connection]: ...

    def read(self) -> AbstractContextManager[Connection]: ...

    def beside(self) -> AbstractContextManager[Connection]: ...


class PostgresLexicalStores:
    """All the lexical stores of a database, by name."""

    def __init__(self, database: Transactions) -> None:
        self._database = database
        self._recent = RecentLists()

    def open(self, name: str) -> "PostgresLexicalStore":
        """The store of that name, made if it isn't there. Raises StoreUnavailable."""
        with self._database.beside() as connection:
            insert_new(connection, word_stores, [{"name": checked(name), "analyser": VERSION}])
            _check(name, connection.scalar(_analyser(name)))
        return PostgresLexicalStore(self._database, name, self._recent)

    def drop(self, name: str) -> None:
        """Delete the store of that name; if there is none, nothing happens."""
        with self._database.beside() as connection:
            connection.execute(delete(word_stores).where(word_stores.c.name == checked(name)))

    def names(self) -> list[str]:
        with self._database.read() as connection:
            return [*connection.scalars(select(word_stores.c.name).order_by(word_stores.c.name))]

    def close(self) -> None:
        """Nothing is kept open: the database is its owner's."""


class PostgresLexicalStore:
    """One store. Any thread of any process may read and write it."""

    def __init__(self, database: Transactions, name: str, recent: "RecentLists") -> None:
        self._database = database
        self._name = name
        self._recent = recent
        self._state = State([])  # the last that was seen

    def upsert(self, postings: Sequence[Posting]) -> None:
        last = [*{posting.id: posting for posting in postings}.values()]
        starts = range(0, len(last), LARGEST)
        segments = [segment_of(last[at : at + LARGEST]) for at in starts]
        self._write([posting.id for posting in last], segments)

    def delete(self, ids: Sequence[str]) -> None:
        self._write(ids, [])

    def query(self, text: str, k: int, documents: Collection[str] | None = None) -> list[Scored]:
        terms = term_weights(text)
        if k < 1 or not terms:
            return []
        state, where = self._found(terms)
        return state.chunks.best(terms, where, k, documents)

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        state, where = self._found(frozenset(terms))
        return {term: state.chunks.frequency(where[term]) for term in terms}

    def count(self) -> int:
        return self._found(())[0].chunks.count

    def ids(self) -> set[str]:
        return self._found(())[0].chunks.ids()

    def _found(self, terms: Collection[str]) -> tuple[State, dict[str, list[Occurrences]]]:
        """The state of the store, and where terms occur in it."""
        try:
            with self._database.glance() as connection:
                return self._read(connection, terms)
        except DataLost:  # or written to between two statements, which a transaction doesn't see
            with self._database.read() as connection:
                return self._read(connection, terms)

    def _read(
        self, connection: Connection, terms: Collection[str]
    ) -> tuple[State, dict[str, list[Occurrences]]]:
        """What `_found` finds. Raises DataLost where a part of it isn't there."""
        wanted = dict(zip(terms, keys(terms), strict=True))
        state = self._seen(connection)
        asked = [(part.id, key) for part in state.parts for key in wanted.values()]
        found = self._recent.known(asked)
        if missing := [one for one in asked if one not in found]:
            read = read_lists(connection, state, missing)
            self._recent.keep(read)
            found |= read
        return state, {
            term: [
                Occurrences(segment, *found[part.id, key])
                for segment, part in enumerate(state.parts)
                if len(found[part.id, key][0])
            ]
            for term, key in wanted.items()
        }

    def _write(self, forget: Sequence[str], add: Iterable[Segment]) -> None:
        if not forget:
            return
        with self._database.beside() as connection:
            state = self._locked(connection)
            mark_deleted(connection, state, texts(forget))
            for segment in add:
                write_segment(connection, self._name, segment)
            while self._merge(connection):
                pass

    def _merge(self, connection: Connection) -> bool:
        """Put segments together, if there are many; whether there were."""
        state = self._seen(connection)
        sizes = [len(part.entries) for part in state.parts]
        live = [size - len(p.deleted) for p, size in zip(state.parts, sizes, strict=True)]
        parts = [state.parts[at] for at in due(live, sizes)]
        if parts:
            whole = merged(
                [read_segment(connection, part) for part in parts],
                [part.kept for part in parts],
            )
            delete_segments(connection, parts)
            write_segment(connection, self._name, whole)
        return bool(parts)

    def _locked(self, connection: Connection) -> State:
        """The state of the store, which nobody else changes before the transaction ends."""
        _check(self._name, connection.scalar(_analyser(self._name).with_for_update()))
        return self._seen(connection)

    def _seen(self, connection: Connection) -> State:
        """The state of the store. Raises StoreUnavailable if it is no more, DataLost."""
        rows = connection.execute(_SEGMENTS, {"name": self._name}).all()
        _check(self._name, rows[0].analyser if rows else None)
        now = {row.id: row.revision for row in rows if row.id is not None}
        state = self._state
        if state.revisions != now:
            self._state = state = State(read_parts(connection, now, state.parts))
        return state


def _analyser(name: str) -> Select[Any]:
    return select(word_stores.c.analyser).where(word_stores.c.name == name)


def _check(name: str, analyser: int | None) -> None:
    """Raises StoreUnavailable where a store isn't there, DataLost if another analyser made it."""
    if analyser is None:
        raise StoreUnavailable(f"The lexical index {name!r} was deleted meanwhile.")
    if analyser != VERSION:
        raise DataLost(
            f"The lexical index {name!r} was made by another version of the analyser, {analyser}, "
            f"not {VERSION}. It is made anew by the next process that starts."
        )
