from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ports import Posting, Scored
from retrieval.question import term_weights
from retrieval.stores.exact_lexical import ExactLexicalStore
from retrieval.stores.ranking import Occurrences, Snapshot
from retrieval.stores.segments import keys, segment_of
from retrieval.stores.tantivy_index import TantivyLexicalStores
from tests.contracts.lexical_store import POSTING_TEXTS, QUICK
from tests.retrieval.stores.made_up import QUESTIONS, postings


def ranked(
    parts: Sequence[Sequence[Posting]],
    gone: Collection[str],
    question: str,
    k: int = 100,
    documents: Collection[str] | None = None,
) -> list[Scored]:
    """The best of these segments, in which what is gone is marked as deleted."""
    segments = [segment_of(part) for part in parts]
    ids = [[id_.decode() for id_ in one.entries.ids.tolist()] for one in segments]
    deleted = [np.array([at for at, id_ in enumerate(own) if id_ in gone], int) for own in ids]
    weights = term_weights(question)
    where = {
        term: [
            Occurrences(number, *segment.postings.of(key))
            for number, segment in enumerate(segments)
            if len(segment.postings.of(key)[0])
        ]
        for term, key in zip(weights, keys(weights), strict=True)
    }
    entries = [segment.entries for segment in segments]
    return Snapshot(entries, deleted).best(weights, where, k, documents)


@given(st.lists(POSTING_TEXTS, max_size=15), st.data(), POSTING_TEXTS)
@QUICK
def test_the_deleted_count_in_no_statistic(
    written: list[str], data: st.DataObject, question: str
) -> None:
    chunks = [Posting(f"{n:02}", f"d{n % 3}", text) for n, text in enumerate(written)]
    gone = data.draw(st.sets(st.sampled_from([p.id for p in chunks]))) if chunks else set()
    documents = data.draw(st.none() | st.sets(st.sampled_from(["d0", "d1", "d9"])))
    exact = ExactLexicalStore()
    exact.upsert([posting for posting in chunks if posting.id not in gone])
    expected = exact.query(question, 100, documents)
    parts = [chunks[::2], chunks[1::2]]
    found = ranked(parts, gone, question, 100, documents)
    assert dict(found) == pytest.approx(dict(expected), rel=1e-6)
    assert found == sorted(found, key=lambda hit: (-hit.score, hit.id))
    for k in (1, 2, 5):
        assert ranked(parts, gone, question, k, documents) == found[:k]


def test_ties_are_ordered_by_id_across_segments() -> None:
    parts = [
        [Posting(f"{n:03}", "d", "the same text") for n in range(first, 40, 3)]
        for first in range(3)
    ]
    for k in (1, 7, 40):
        assert [hit.id for hit in ranked(parts, {"002"}, "same", k)] == [
            f"{n:03}" for n in range(40) if n != 2
        ][:k]


def test_it_ranks_as_tantivy_does(tmp_path: Path) -> None:
    chunks = postings(2_000)
    tantivy = TantivyLexicalStores(tmp_path).open("words")
    tantivy.upsert(chunks)
    parts = [chunks[:900], chunks[900:1_000], chunks[1_000:]]
    some = {chunk.document_id for chunk in chunks[::40]}
    for question in QUESTIONS:
        for documents in (None, some):
            theirs = tantivy.query(question, 100, documents)
            ours = ranked(parts, (), question, 100, documents)
            assert theirs
            assert [hit.id for hit in ours] == [hit.id for hit in theirs]
            assert [hit.score for hit in ours] == pytest.approx(
                [hit.score for hit in theirs], rel=1e-5
            )
            assert ranked(parts, (), question, 10, documents) == ours[:10]
