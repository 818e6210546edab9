import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.citations import cite, page_at, page_label
from retrieval.types import Document, Page

TEXTS = st.text(st.sampled_from("ab 斑🙂é\u0301\n𠮷\u200d"), min_size=1, max_size=40)


def document(text: str, pages: tuple[Page, ...] = ()) -> Document:
    return Document("d", "uri", "v1", "Title", "text/plain", text, pages)


@given(TEXTS, st.data())
def test_a_quote_is_its_slice_of_the_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    citation = cite(document(text), start, end, 3, 0.5)
    assert citation.quote == text[start:end] == text[citation.start : citation.end]
    assert (citation.marker, citation.support, citation.verified) == (3, 0.5, True)
    assert (citation.document_id, citation.version, citation.uri) == ("d", "v1", "uri")


@pytest.mark.parametrize("span", [(-1, 2), (2, 2), (3, 2), (0, 5), (4, 5)])
def test_what_is_no_span_is_never_cited(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no span"):
        cite(document("four"), *span, 1, 1.0)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 60))
def test_an_offset_is_on_the_page_that_holds_it(sizes: list[int], offset: int) -> None:
    pages, at = [], 0
    for number, size in enumerate(sizes, start=1):
        pages.append(Page(number, at, at + size, f"p{number}"))
        at += size
    offset %= at
    found = page_at(pages, offset)
    assert found is not None
    assert found.start <= offset < found.end
    assert page_label(pages, offset) == found.label


def test_without_pages_there_is_no_page() -> None:
    assert page_at((), 3) is None
    assert cite(document("four"), 0, 4, 1, 1.0).page is None
