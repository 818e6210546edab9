"""Segments as rows of a database: one with its chunks, and one for each page of its postings."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection, delete, select, text, update

from retrieval.errors import DataLost
from retrieval.schema import word_pages, word_segments
from retrieval.stores.ranking import Snapshot
from retrieval.stores.recent_lists import List, ListId
from retrieval.stores.segment_bytes import (
    read_entries,
    read_page,
    read_pages,
    write_entries,
    write_pages,
)
from retrieval.stores.segments import NUMBER, Array, Entries, Segment, page_of

_PAGES = text(
    "SELECT segment, number, postings FROM word_pages"
    " JOIN unnest(CAST(:segments AS text[]), CAST(:numbers AS integer[])) AS wanted (s, n)"
    " ON segment = wanted.s AND number = wanted.n"
)
_NEW_PAGES = text(
    "INSERT INTO word_pages (segment, number, postings) SELECT :segment, place - 1, page"
    " FROM unnest(CAST(:pages AS bytea[])) WITH ORDINALITY AS written (page, place)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment, as much of it as is always in memory, and what of it is deleted."""

    id: str
    revision: str
    pages: int
    entries: Entries
    deleted: Array

    @property
    def kept(self) -> Array:
        """`(n,) bool`: the chunks that aren't deleted."""
        kept = np.ones(len(self.entries), bool)
        kept[self.deleted] = False
        return kept


class State:
    """The segments of a store at one moment."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.revisions = {part.id: part.revision for part in parts}
        self.chunks = Snapshot([part.entries for part in parts], [part.deleted for part in parts])


def read_lists(connection: Connection, state: State, asked: Iterable[ListId]) -> dict[ListId, List]:
    """These lists, from the pages that they are on. Raises DataLost."""
    pages = {part.id: part.pages for part in state.parts}
    on = {(id_, key): (id_, page_of(key, pages[id_])) for id_, key in asked}
    segments, numbers = zip(*dict.fromkeys(on.values()), strict=True)
    rows = connection.execute(_PAGES, {"segments": [*segments], "numbers": [*numbers]})
    read = {(row.segment, row.number): read_page(row.postings) for row in rows}
    if len(read) < len(segments):
        raise DataLost("The lexical index has lost a part.")
    # Copied, for a list is kept without its page.
    return {one: tuple(part.copy() for part in read[page].of(one[1])) for one, page in on.items()}


def read_parts(
    connection: Connection, revisions: Mapping[str, str], before: Iterable[Part]
) -> list[Part]:
    """The segments of these ids and revisions, from the database what wasn't known before.

    Raises DataLost where one isn't there, or is another by now.
    """
    known = {part.id: part for part in before}
    changed = [id_ for id_, one in revisions.items() if id_ in known and known[id_].revision != one]
    new = [id_ for id_ in revisions if id_ not in known]
    parts = {id_: part for id_, part in known.items() if id_ in revisions}
    columns = word_segments.c
    if changed:
        query = select(columns.id, columns.revision, columns.deleted).where(columns.id.in_(changed))
        for row in connection.execute(query):
            parts[row.id] = replace(
                parts[row.id],
                revision=row.revision,
                deleted=np.frombuffer(row.deleted, NUMBER),
            )
    if new:
        for row in connection.execute(select(word_segments).where(columns.id.in_(new))):
            parts[row.id] = Part(
                row.id,
                row.revision,
                row.pages,
                read_entries(row.entries),
                np.frombuffer(row.deleted, NUMBER),
            )
    if {part.id: part.revision for part in parts.values()} != revisions:
        raise DataLost("The lexical index has lost a segment.")
    return [parts[id_] for id_ in revisions]


def mark_deleted(connection: Connection, state: State, ids: Array) -> None:
    """Mark these ids as deleted, wherever they are."""
    for part in state.parts:
        more = np.setdiff1d(part.entries.find(ids), part.deleted)
        if len(more):
            deleted = np.concatenate([part.deleted, more]).astype(NUMBER)
            connection.execute(
                update(word_segments)
                .where(word_segments.c.id == part.id)
                .values(deleted=deleted.tobytes(), revision=uuid.uuid4().hex)
            )


def write_segment(connection: Connection, store: str, segment: Segment) -> None:
    """Add a segment to a store, unless it is empty."""
    if not len(segment.entries):
        return
    id_ = uuid.uuid4().hex
    connection.execute(
        word_segments.insert().values(
            id=id_,
            store=store,
            pages=segment.pages,
            entries=write_entries(segment.entries),
            deleted=b"",
            revision=uuid.uuid4().hex,
        )
    )
    pages = [*write_pages(segment.postings, segment.pages)]
    connection.execute(_NEW_PAGES, {"segment": id_, "pages": pages})


def read_segment(connection: Connection, part: Part) -> Segment:
    """A segment with all its postings."""
    columns = word_pages.c
    query = select(columns.postings).where(columns.segment == part.id).order_by(columns.number)
    return Segment(part.entries, read_pages(connection.scalars(query)))


def delete_segments(connection: Connection, parts: Iterable[Part]) -> None:
    """Delete segments with their pages."""
    ids = [part.id for part in parts]
    connection.execute(delete(word_segments).where(word_segments.c.id.in_(ids)))
