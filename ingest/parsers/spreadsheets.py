"""XLSX by openpyxl, XLS by xlrd, CSV by the standard library: each becomes sheets."""

import csv
import datetime
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from typing import Final

import openpyxl
import xlrd
from openpyxl.worksheet._reader import WorkSheetParser

from ingest.parsers.archive import Archive
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import decode
from ingest.parsers.tables import Sheet, read_sheets
from ingest.types import Parsed, ParseLimits

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 64 * 1024  # characters that the delimiter is told from
_XLSX_ROWS: Final = 2**20  # that a sheet has at most


def parse_csv(file: RawFile, limits: ParseLimits) -> Parsed:
    """Rows of separated values; what separates them is told from the first lines."""
    text = decode(file.data, file.name, file.charset).removeprefix("\ufeff")
    csv.field_size_limit(limits.characters)
    rows = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text[:_SAMPLE]))
    return read_sheets(file, [Sheet("", enumerate(rows, 1))], limits)


def parse_xlsx(file: RawFile, limits: ParseLimits) -> Parsed:
    """The sheets of a workbook, with the values that were last computed for its formulas."""
    Archive(file.data, file.name, "XLSX")  # refuses bombs before openpyxl unpacks them
    book = openpyxl.load_workbook(BytesIO(file.data), read_only=True, data_only=True)
    return read_sheets(file, map(_xlsx_sheet, book.worksheets), limits)


def parse_xls(file: RawFile, limits: ParseLimits) -> Parsed:
    """The sheets of a workbook of Excel 5 to 2003."""
    book = xlrd.open_workbook(file_contents=file.data, on_demand=True)
    sheets = (Sheet(sheet.name, _xls_rows(sheet, book.datemode)) for sheet in book.sheets())
    return read_sheets(file, sheets, limits)


def _delimiter(sample: str) -> str:
    """The delimiter that parts most lines into the same number of cells, more than one."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()]

    def steady(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(_DELIMITERS, key=steady)


def _xlsx_sheet(sheet: "openpyxl.worksheet._read_only.ReadOnlyWorksheet") -> Sheet:
    return Sheet(sheet.title, _xlsx_rows(sheet))


def _xlsx_rows(
    sheet: "openpyxl.worksheet._read_only.ReadOnlyWorksheet",
) -> Iterator[tuple[int, Sequence[object]]]:
    """The rows that are written, by openpyxl's parser: its own `iter_rows` makes up the others."""
    book = sheet.parent
    with sheet._get_source() as written:
        parser = WorkSheetParser(
            written,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            if not 1 <= number <= _XLSX_ROWS:
                raise ValueError(f"{sheet.title!r} has a row {number:,}, of {_XLSX_ROWS:,} at most")
            values = {cell["column"]: cell["value"] for cell in cells}
            yield number, [values.get(at) for at in range(1, max(values, default=0) + 1)]


def _xls_rows(sheet: xlrd.sheet.Sheet, datemode: int) -> Iterator[tuple[int, Sequence[object]]]:
    for at in range(sheet.nrows):
        yield at + 1, [_xls_value(cell, datemode) for cell in sheet.row(at)]


def _xls_value(cell: xlrd.sheet.Cell, datemode: int) -> object:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return datetime.datetime(*xlrd.xldate_as_tuple(cell.value, datemode))
        except (xlrd.XLDateError, ValueError):
            return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return None if cell.ctype == xlrd.XL_CELL_ERROR else cell.value
