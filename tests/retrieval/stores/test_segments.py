from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.analysis import analyse
from retrieval.ports import Posting
from retrieval.stores.segment_bytes import (
    read_entries,
    read_page,
    read_pages,
    write_entries,
    write_pages,
)
from retrieval.stores.segments import (
    LARGEST,
    Segment,
    due,
    keys,
    merged,
    page_of,
    segment_of,
    texts,
)
from tests.contracts.lexical_store import POSTING_TEXTS, QUICK
from tests.retrieval.stores.made_up import postings

IDS = st.text("ab0é中", min_size=1, max_size=4)
POSTINGS = st.lists(
    st.builds(Posting, IDS, IDS, POSTING_TEXTS), max_size=20, unique_by=lambda posting: posting.id
)


def content(segment: Segment) -> list[list[object]]:
    """All that a segment holds, as lists."""
    parts = [segment.entries, segment.postings]
    names = [("ids", "documents", "owners", "lengths"), ("keys", "ends", "numbers", "counts")]
    return [
        [getattr(part, name).tolist() for name in own]
        for part, own in zip(parts, names, strict=True)
    ]


def everything(segment: Segment) -> np.ndarray:
    return np.ones(len(segment.entries), bool)


@given(POSTINGS, st.sampled_from([1, 2, 8, 64]))
@QUICK
def test_what_is_written_is_read(written: list[Posting], pages: int) -> None:
    segment = segment_of(written)
    read = read_entries(write_entries(segment.entries))
    whole = read_pages(write_pages(segment.postings, pages))
    assert content(Segment(read, whole)) == content(segment)


def test_a_term_is_on_its_page_with_all_its_chunks() -> None:
    written = sorted(postings(500), key=lambda posting: posting.id)
    segment = segment_of(written)
    assert segment.pages > 4
    pages = [read_page(page) for page in write_pages(segment.postings, segment.pages)]
    counted = [Counter(analyse(posting.text)) for posting in written]
    for term in {term for counts in counted for term in counts}:
        [key] = keys([term])
        numbers, counts = pages[page_of(key, segment.pages)].of(key)
        expected = [(at, one[term]) for at, one in enumerate(counted) if term in one]
        assert [*zip(numbers.tolist(), counts.tolist(), strict=True)] == expected
    [absent] = keys(["absent-everywhere"])
    assert pages[page_of(absent, segment.pages)].of(absent)[0].tolist() == []


@pytest.mark.parametrize("count", [1, 255, 256, 70_000])
def test_a_term_may_occur_any_number_of_times(count: int) -> None:
    segment = segment_of([Posting("a", "d", "word " * count)])
    [page] = write_pages(segment.postings, 1)
    assert read_page(page).of(*keys(["word"]))[1].tolist() == [count]
    assert segment.entries.lengths.tolist() == [count]


@given(POSTINGS, st.sets(IDS, max_size=8))
@QUICK
def test_ids_and_documents_are_found(written: list[Posting], wanted: set[str]) -> None:
    entries = segment_of(written).entries
    ids = entries.ids[entries.find(texts(wanted))]
    assert {id_.decode() for id_ in ids.tolist()} == {p.id for p in written} & wanted
    owned = entries.ids[entries.of(texts(wanted))]
    assert {id_.decode() for id_ in owned.tolist()} == {
        p.id for p in written if p.document_id in wanted
    }


@given(POSTINGS, st.data())
@QUICK
def test_a_merge_is_the_segment_of_what_is_kept(
    written: list[Posting], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.sampled_from(range(3)), min_size=len(written)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(written), max_size=len(written)))
    of_part = [[p for p, at in zip(written, parts, strict=False) if at == n] for n in range(3)]
    stay = {p.id for p, keep in zip(written, kept, strict=True) if keep}
    segments = [segment_of(part) for part in of_part]
    which = [
        np.array([id_.decode() in stay for id_ in segment.entries.ids.tolist()], bool)
        for segment in segments
    ]
    expected = segment_of([posting for posting in written if posting.id in stay])
    assert content(merged(segments, which)) == content(expected)


def test_a_merge_of_many_pages_is_the_segment_of_all() -> None:
    written = postings(600)
    parts = [segment_of(written[at : at + 150]) for at in range(0, 600, 150)]
    read = [Segment(one.entries, read_pages(write_pages(one.postings, one.pages))) for one in parts]
    assert content(merged(read, [*map(everything, read)])) == content(segment_of(written))


@pytest.mark.parametrize("size", [1, 10, 320])
def test_there_are_few_segments_and_a_chunk_is_seldom_written_again(size: int) -> None:
    live: list[int] = []
    written = total = 0
    for _ in range(2_000):
        live.append(size)
        total += size
        while chosen := due(live, live):
            assert len(chosen) > 1
            whole = sum(live[at] for at in chosen)
            assert whole <= LARGEST
            written += whole
            live = [one for at, one in enumerate(live) if at not in chosen] + [whole]
    assert sum(live) == total
    assert len(live) <= 35 + 2 * total / LARGEST
    assert written <= 5 * total


def test_what_is_half_deleted_is_written_anew() -> None:
    assert due([10, 4], [10, 9]) == [1]
    assert due([10, 5], [10, 10]) == []
    assert due([0], [3]) == [0]
    assert due([LARGEST] * 20, [LARGEST] * 20) == []
