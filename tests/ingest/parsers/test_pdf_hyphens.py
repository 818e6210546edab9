import pytest

from ingest.parsers.pdf_frame import Rectangle
from ingest.parsers.pdf_hyphens import Hyphens
from ingest.parsers.pdf_lines import Line


def line(text: str) -> Line:
    return Line(text, tuple(range(len(text))), Rectangle(0, 0, 1, 1), 1, False, False)


@pytest.mark.parametrize(
    ("above", "below", "kept"),
    [
        ("it is com-", "piled at once", False),
        ("the long-", "term debt", True),
        ("state-of-the-", "art", True),
        ("the Hot-", "PotQA set", True),
        ("a fully-", "owned one", True),
        ("the non-", "recurring", True),
        ("the type COVID-", "like", True),
        ("some re-", "ports of it", False),
    ],
)
def test_hyphens_of_compounds_stay(above: str, below: str, kept: bool) -> None:
    assert Hyphens([line("words")]).kept(above, below) is kept


def test_the_page_is_the_best_witness() -> None:
    hyphens = Hyphens([line("a data-driven, low-cost reprint"), line("longterm")])
    assert hyphens.kept("data-", "driven")
    assert not hyphens.kept("long-", "term")
