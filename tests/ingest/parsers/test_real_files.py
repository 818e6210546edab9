"""The files that hurt, where the shared data is at hand: `../shared/data` beside the project."""

import json
import re
import unicodedata
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import EmptyDocument, EncryptedDocument, IngestError, UnsupportedMedia
from ingest.parsers import ocr, parse
from tests.ingest.parsers.test_robustness import check

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
REFUSED = ("doc", "ppt", *(() if ocr.AVAILABLE else ("scan",)))
SLOW = {  # ten seconds or more: scans, for which there are smaller ones, and annual reports
    "AMCOR_2023_10K.pdf",
    "AMERICANEXPRESS_2022_10K.pdf",
    "BOEING_2022_10K.pdf",
    "docling__sample_with_rotation_mismatch.pdf",
    "ocrmypdf__cardinal.pdf",
    "ocrmypdf__ccitt.pdf",
    "ocrmypdf__hugemono.pdf",
    "ocrmypdf__jbig2.pdf",
    "pdf.js__freeculture.pdf",
    "private-gpt__file_image.pdf",
    "private-gpt__file_scanned.pdf",
    "scan_pdf_07.pdf",
    "scan_pdf_08.pdf",
}
TURNED = "ocr_test_rotated"  # upside down: its lines come from bottom to top
MOST_EXTRA = 0.15
"""What a file shows beyond its true text: its title, page numbers, a small table."""


def rows(path: Path) -> list[Any]:
    if not path.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"{path.name} isn't here"))]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        pytest.param(row, id=row["file"], marks=marks(row["file"]))
        for row in map(json.loads, lines)
    ]


def marks(file: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if Path(file).name in SLOW else []


def squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("row", rows(DATA / "files.jsonl"))
def test_file(row: dict[str, Any]) -> None:
    path = DATA / row["file"]
    try:
        parsed = parse(path.read_bytes(), path.name)
    except IngestError as error:
        _check_refusal(row, error)
        return
    check(parsed)
    assert row["group"] not in REFUSED
    text = squeezed(parsed.text)
    if TURNED not in row["file"]:
        assert [each for each in row.get("expect", []) if squeezed(each) not in text] == []
    places = [text.index(squeezed(each)) for each in row.get("order", [])]
    assert places == sorted(places)
    if parsed.pages and "pages" in row:
        assert len(parsed.pages) == row["pages"]


def _check_refusal(row: dict[str, Any], error: IngestError) -> None:
    assert Path(row["file"]).name in str(error)
    if row.get("error") == "password":
        assert isinstance(error, EncryptedDocument)
    elif row["group"] == "scan":
        assert isinstance(error, EmptyDocument | UnsupportedMedia)
    elif "error" not in row:
        assert isinstance(error, UnsupportedMedia)
        assert row["group"] in REFUSED


@pytest.mark.parametrize("row", rows(DATA / "zh_files/manifest.jsonl"))
def test_chinese_file_against_its_true_text(row: dict[str, Any]) -> None:
    path = DATA / "zh_files" / row["file"]
    scanned = row["kind"] == "scan_pdf"
    if scanned and not ocr.AVAILABLE:
        with pytest.raises(EmptyDocument):
            parse(path.read_bytes(), path.name)
        return
    truth = (DATA / "zh_files" / row["truth"]).read_text(encoding="utf-8")
    wanted = re.sub(r"\s", "", truth)
    found = re.sub(r"\s", "", parse(path.read_bytes(), path.name).text)
    matched = sum(block.size for block in _blocks(wanted, found))
    wrong = 1.0 if row["kind"].startswith("pdf") else 0  # a glyph to which the font gives no code
    if scanned:
        wrong = 0.02 * len(wanted)
    assert len(wanted) - matched <= wrong
    assert len(found) - matched <= max(MOST_EXTRA * len(wanted), 100)


def _blocks(wanted: str, found: str) -> list[Any]:
    return SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()


def filings() -> list[Any]:
    path = DATA / "filings/questions.jsonl"
    if not path.exists():
        return [pytest.param([], "", marks=pytest.mark.skip(reason="filings aren't here"))]
    evidence = [
        piece
        for line in path.read_text(encoding="utf-8").splitlines()
        for piece in json.loads(line)["evidence"]
    ]
    names = sorted({piece["doc"] for piece in evidence})
    return [
        pytest.param(
            [piece for piece in evidence if piece["doc"] == name], name, id=name, marks=marks(name)
        )
        for name in names
    ]


@pytest.mark.parametrize(("evidence", "name"), filings())
def test_evidence_is_on_its_page(evidence: list[dict[str, Any]], name: str) -> None:
    parsed = parse((DATA / "filings/pdfs" / name).read_bytes(), name)
    check(parsed)
    for piece in evidence:
        page = parsed.pages[piece["best_page0"]]
        found = set(re.findall(r"\w+", parsed.text[page.start : page.end]))
        wanted = re.findall(r"\w+", piece["text"])
        assert sum(word in found for word in wanted) >= 0.95 * len(
            wanted
        )  # a running header is said on its first page only
    if name.startswith("AMCOR"):
        assert "\nDifferentiated capabilities\n" in parsed.text  # pdfium gives "Dif erentiated"
