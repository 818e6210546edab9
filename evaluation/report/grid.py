"""A table of a benchmark: cells of text, for whatever prints them."""

from collections.abc import Iterator
from dataclasses import dataclass

from evaluation.report.markdown import plain, table_row
from evaluation.significance import Median


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells under headings, the first of each its name.

    `failed` are names with the reason why they have no figures: a row each, all the same.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    failed: tuple[tuple[str, str], ...] = ()

    def without_blanks(self) -> "Grid":
        """The same without columns in which nothing stands."""
        kept = [at for at, _ in enumerate(self.headings) if not at or any(r[at] for r in self.rows)]
        return Grid(
            self.title,
            tuple(self.headings[at] for at in kept),
            tuple(tuple(row[at] for at in kept) for row in self.rows),
            self.failed,
        )

    def to_markdown(self) -> Iterator[str]:
        """Line by line."""
        yield table_row(*map(plain, self.headings))
        yield table_row("---", *("---:" for _ in self.headings[1:]))
        for row in self.rows:
            yield table_row(*map(plain, row))
        for name, reason in self.failed:
            yield table_row(plain(name), plain(reason), *("" for _ in self.headings[2:]))


def rate_cell(rate: Median | None) -> str:
    """So many a second, with its bounds."""
    if rate is None:
        return ""
    form = ",.0f" if rate.value >= 100 else ",.1f"
    value, low, high = (format(one, form) for one in (rate.value, rate.low, rate.high))
    return f"{value} [{low}, {high}]"


def counted(count: int, what: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
