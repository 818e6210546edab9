from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunking import cut
from ingest.leads import Leads
from retrieval.sentences import Span
from retrieval.types import Chunking, Document, Page
from tests.ingest.cutting import DOCUMENTS, HASHING, code_points, document


def paged(*texts: str, title: str = "Title") -> Document:
    """A document whose pages these are."""
    starts = [sum(map(len, texts[:at])) for at in range(len(texts) + 1)]
    pages = [
        Page(at + 1, start, end, str(at + 1)) for at, (start, end) in enumerate(pairwise(starts))
    ]
    return replace(document("".join(texts), title=title), pages=tuple(pages))


def lead_of(first_line: str) -> str:
    """What is put before a chunk that begins in the middle of a page."""
    made = paged(f"\n{first_line}\nAll else that stands there.")
    end = len(made.text)
    return Leads(made, 100, code_points).joined("", Span(end - 5, end))


@pytest.mark.parametrize(
    "line",
    ["Consolidated Balance Sheets", "合并资产负债表", "ÉTATS FINANCIERS", "Note 7 (continued)"],
)
def test_a_line_that_names_something(line: str) -> None:
    assert lead_of(line) == f"{line}\n"
    assert lead_of(f"  {line.replace(' ', '   ')} ") == f"{line}\n"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12",
        "- 3 -",
        "Revenue | 12 | 14",
        "This sentence ends.",
        "此句已完。",
        "and goes on from the page before",
        "It is cut by the end of the line,",
        "A line " + "that is long " * 8,
    ],
)
def test_a_line_that_does_not(line: str) -> None:
    assert lead_of(line) == ""


def test_each_chunk_of_a_page_has_its_first_line_once() -> None:
    rows = "".join(f"Item {n} | {n * 7} | {n * 11}\n" for n in range(40))
    made = paged(f"Balance Sheets\n{rows}\n", f"Statements of Income\n{rows}\n")
    found = cut(made, Chunking(64, 0), 256, HASHING)
    assert len(found.chunks) > 8
    for chunk, text in zip(found.chunks, found.texts, strict=True):
        name = "Balance Sheets" if chunk.start < made.pages[1].start else "Statements of Income"
        assert text.count(name) == 1
        assert text.startswith("Title")
        assert chunk.context + made.text[chunk.start : chunk.end] == text


def test_what_title_or_headings_say_is_not_said_again() -> None:
    made = paged("Balance Sheets\nMuch text. And more of it.", title="Balance Sheets")
    leads = Leads(made, 100, code_points)
    assert leads.joined("Balance Sheets\n", Span(30, 40)) == "Balance Sheets\n"


def test_a_line_of_too_many_tokens_is_left_out() -> None:
    made = paged("Balance Sheets\nMuch text. And more of it.")
    assert Leads(made, 15, code_points).joined("", Span(30, 40)) == ""
    assert Leads(made, 16, code_points).joined("", Span(30, 40)) == "Balance Sheets\n"


@given(DOCUMENTS, st.lists(st.integers(0, 10**6), max_size=6), st.integers(32, 80))
def test_no_chunk_exceeds_the_window(made: Document, cuts: list[int], tokens: int) -> None:
    length = len(made.text)
    ends = sorted({at % (length + 1) for at in cuts} | {length})
    starts = [0, *ends[:-1]]
    pages = tuple(Page(n + 1, a, b, "p") for n, (a, b) in enumerate(zip(starts, ends, strict=True)))
    found = cut(replace(made, pages=pages), Chunking(tokens, 0), 256, code_points)
    assert all(count <= tokens for count in code_points(found.texts))
    assert [c.start for c in found.chunks] == sorted(c.start for c in found.chunks)
