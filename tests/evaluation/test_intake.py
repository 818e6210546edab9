"""Files sent to ingestion: every one has an end, and a reason."""

from pathlib import Path

import pytest

from evaluation import intake
from evaluation.intake import take_in
from evaluation.paper import paper
from ingest import parsers
from ingest.types import ParseLimits

FILES = [("a.md", b"# One\n\nText."), ("b.pdf", b"%PDF-1.4 broken"), ("c.rtf", b"{\\rtf1 x}")]


def test_ends_are_counted(tmp_path: Path) -> None:
    seen: list[int] = []
    found = take_in(FILES, ParseLimits(seconds=30), tmp_path, seen.append)
    assert found.ends == {"added": 1, "DamagedDocument": 1, "UnsupportedMedia": 1}
    assert (found.files, found.unfinished, found.unexplained, seen) == (3, 0, (), [1, 2, 3])
    assert found.sound
    assert found.slowest[1] > 0


def test_an_end_that_a_file_is_not_the_cause_of_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "REASONS", frozenset({"UnsupportedMedia"}))
    found = take_in(FILES, ParseLimits(seconds=30), tmp_path, lambda _: None)
    assert not found.sound
    assert found.unexplained[0].startswith("b.pdf: DamagedDocument")


@pytest.mark.parametrize("pages", [1, 3])
def test_a_made_up_pdf_can_be_read(pages: int) -> None:
    parsed = parsers.parse(paper(7, pages), "7.pdf")
    assert len(parsed.pages) == pages
    assert parsed.text.count(" 7 ") == 44 * pages
    assert paper(7, pages) == paper(7, pages) != paper(8, pages)
