"""CSV, XLSX and XLS: rows with the names of their columns."""

import datetime
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from unittest.mock import Mock

import openpyxl
import pytest

from ingest import parsers
from ingest.chunking import cut
from ingest.errors import DamagedDocument, EmptyDocument, TooLarge
from ingest.parsers import tables
from ingest.parsers.detection import Kind, RawFile
from ingest.types import Parsed, ParseLimits
from retrieval.types import Chunking
from tests.ingest.cutting import HASHING, document


def csv(text: str, name: str = "a.csv") -> Parsed:
    return parsers.parse(text.encode(), name)


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    saved = BytesIO()
    book.save(saved)
    return saved.getvalue()


def anchored(parsed: Parsed) -> dict[str, str]:
    return {page.label: parsed.text[page.start : page.end].strip() for page in parsed.pages}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_rows_are_lines_and_the_header_a_heading(separator: str) -> None:
    rows = [["Name", "City"], ["Ann", "Oslo"], ["李四", "北京"]]
    parsed = csv("\n".join(separator.join(row) for row in rows))
    assert parsed.text == "Name | City\nAnn | Oslo\n李四 | 北京"
    assert [(h.start, h.end, h.level) for h in parsed.headings] == [(0, 11, 1)]
    assert anchored(parsed)["row 3"] == "李四 | 北京"
    assert parsed.pages[0].start == 0 and parsed.pages[-1].end == len(parsed.text)


def test_a_cell_keeps_its_column_and_its_line_breaks_become_spaces() -> None:
    parsed = csv('Name,City,Note\nAnn,,"two\nlines"\n,,\nBob,"a, b",\n')
    assert parsed.text == "Name | City | Note\nAnn |  | two lines\nBob | a, b"
    assert list(anchored(parsed)) == ["row 2", "row 4"]


def test_numbers_make_no_header() -> None:
    assert csv("1,2\n3,4\n").headings == ()
    assert csv("Name,Name\nx,y\n").headings == ()
    assert csv("only one line,of words\n").headings == ()


def test_a_header_may_stand_below_a_title() -> None:
    parsed = csv("Sales of 2026\n\nTeam,Sum\nBlues,4\n")
    [header] = parsed.headings
    assert parsed.text[header.start : header.end] == "Team | Sum"
    assert parsed.text.startswith("Sales of 2026\nTeam | Sum\nBlues | 4")


def test_every_chunk_is_embedded_with_the_names_of_its_columns() -> None:
    parsed = csv("Name,City\n" + "".join(f"Person {n},City {n}\n" for n in range(200)))
    source = document(parsed.text, parsed.headings, title="Staff")
    found = cut(source, Chunking(tokens=64, overlap=0), 64, HASHING)
    assert len(found.chunks) > 20
    assert all(text.startswith("Staff > Name | City\n") for text in found.texts)


def test_sheets_have_names_and_values_are_shown_as_they_are_meant() -> None:
    day = datetime.datetime(2026, 11, 21)
    data = workbook(
        Sales=[["Day", "Sum", "Paid"], [day, 12.0, True], [day.replace(hour=9), 0.5, None]],
        空=[],
        备注=[["一行"]],
    )
    parsed = parsers.parse(data, "book.xlsx")
    assert parsed.text == (
        "Sales\nDay | Sum | Paid\n2026-11-21 | 12 | TRUE\n2026-11-21 09:00:00 | 0.5\n\n备注\n一行"
    )
    assert anchored(parsed)["Sales, row 3"] == "2026-11-21 09:00:00 | 0.5"
    assert list(anchored(parsed))[-1] == "备注, row 1"
    assert [h.level for h in parsed.headings] == [1, 2, 1]


def test_pages_leave_nothing_out(n: int = 5_001) -> None:
    parsed = csv("".join(f"{at},{at * 7}\n" for at in range(n)))
    assert "".join(parsed.text[p.start : p.end] for p in parsed.pages) == parsed.text
    assert 1_000 < len(parsed.pages) <= 2_000
    assert parsed.pages[1].label == "rows 4 to 6"


def with_rows(written: str) -> bytes:
    """A workbook whose sheet is written so."""
    saved = BytesIO()
    with zipfile.ZipFile(BytesIO(workbook(A=[["x"]]))) as book, zipfile.ZipFile(saved, "w") as new:
        for name in book.namelist():
            data = book.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = re.sub(b"<sheetData>.*</sheetData>", written.encode(), data)
            new.writestr(name, data)
    return saved.getvalue()


def row(number: int, *cells: str) -> str:
    values = "".join(f'<c r="{cell}{number}"><v>7</v></c>' for cell in cells)
    return f'<row r="{number}">{values}</row>'


def test_rows_that_are_not_written_are_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = Mock(wraps=tables._cells)
    monkeypatch.setattr(tables, "_cells", cells)
    data = with_rows(f"<sheetData>{row(1, 'A')}{row(1_048_576, 'B')}</sheetData>")
    parsed = parsers.parse(data, "gap.xlsx")
    assert parsed.text == "A\n7\n | 7"
    assert [page.label for page in parsed.pages] == ["A, row 1", "A, row 1048576"]
    assert cells.call_count == 2


@pytest.mark.parametrize("number", [1_048_577, 999_999_999_999, 0])
def test_a_row_that_no_sheet_has_is_refused(number: int) -> None:
    data = with_rows(f"<sheetData>{row(1, 'A')}{row(number, 'A')}</sheetData>")
    with pytest.raises(DamagedDocument, match="of 1,048,576 at most"):
        parsers.parse(data, "rows.xlsx")


def test_a_table_that_is_too_long_is_read_no_further() -> None:
    def rows() -> Iterator[tuple[int, list[str]]]:
        for number in range(1, 1_000):
            assert number < 50
            yield number, ["some words"]

    file = RawFile(b"", "long.csv", Kind.CSV)
    with pytest.raises(TooLarge, match="100 characters"):
        tables.read_sheets(file, [tables.Sheet("", rows())], ParseLimits(characters=100))


def test_what_is_no_workbook_is_refused() -> None:
    whole = workbook(A=[["x"]])
    with pytest.raises(DamagedDocument):
        parsers.parse(whole[: len(whole) // 2], "cut.xlsx")
    with pytest.raises(EmptyDocument):
        parsers.parse(workbook(A=[]), "empty.xlsx")
    with pytest.raises(TooLarge, match="100 characters"):
        parsers.parse(b"a,b\n" * 200, "long.csv", limits=ParseLimits(characters=100))
