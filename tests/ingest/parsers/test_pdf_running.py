"""Running headers and footers are said once."""

from ingest.parsers import boxes, parse
from tests.ingest.parsers.builders import pdf

WORDS = "amber birch cedar daisy elder fern grass hazel iris".split()


def pages(count: int, *, head: str = "Annual Report", numbered: bool = True) -> list[list[str]]:
    return [
        [
            f"{head} {n}" if numbered else head,
            f"Body of page {n} begins with the letters {'abcdefgh'[n - 1] * 7}.",
            *(f"Line {line} speaks of {WORDS[n * line % 7]} and {WORDS[n]}." for line in range(8)),
            f"Confidential - page {n}",
        ]
        for n in range(1, count + 1)
    ]


def test_what_stands_on_every_page_stays_on_the_first() -> None:
    parsed = parse(pdf(pages(6)), "a.pdf")
    assert parsed.text.count("Annual Report") == 1
    assert parsed.text.count("Confidential") == 1
    assert parsed.text.startswith("Annual Report 1")
    for n in range(1, 7):
        page = parsed.pages[n - 1]
        own = parsed.text[page.start : page.end]
        assert f"Body of page {n} begins" in own
        assert f"Line 7 speaks of {WORDS[n * 7 % 7]} and {WORDS[n]}." in own


def test_alternating_heads_run_too() -> None:
    made = pages(8)
    for n, lines in enumerate(made):
        lines[0] = "Chapter One" if n % 2 else "The Book"
    text = parse(pdf(made), "a.pdf").text
    assert text.count("Chapter One") <= 2
    assert text.count("The Book") <= 2


def test_two_pages_have_nothing_that_runs() -> None:
    assert parse(pdf(pages(2)), "a.pdf").text.count("Annual Report") == 2


def test_what_moves_or_changes_is_text() -> None:
    made = pages(6)
    for n, lines in enumerate(made):
        lines[0] = f"Heading {'abcdef'[n] * 5}"
    assert parse(pdf(made), "a.pdf").text.count("Heading") == 6


def test_boxes_are_found_on_pages_whose_head_is_left_out() -> None:
    data = pdf(pages(6))
    parsed = parse(data, "a.pdf")
    [box] = boxes(data, "a.pdf", parsed.pages[4], *span(parsed.text, f"and {WORDS[5]}.")).boxes
    [first] = boxes(data, "a.pdf", parsed.pages[0], *span(parsed.text, f"and {WORDS[1]}.")).boxes
    assert (box.page, round(box.top)) == (5, round(first.top))


def span(text: str, words: str) -> tuple[int, int]:
    start = text.index(words)
    return start, start + len(words)
