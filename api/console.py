"""What the commands print: tables, answers and their footnotes, errors, JSON."""

import io
import json
import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from retrieval.citations import place
from retrieval.printing import escaped
from retrieval.types import Answer, Citation

_WIDEST = 100_000  # columns


class _Console(Console):
    """A console that no document, name or path can send commands to."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escaped(text, spared="\n\t"), **options)  # before it is measured

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else escaped(text, spared="\n"), style, control)


# No markup: a path or a name may hold brackets.
out = _Console(highlight=False, soft_wrap=False, markup=False)
err = _Console(stderr=True, highlight=False, markup=False)


def one_line(text: str) -> str:
    """What a line of output says that holds a name from outside: no line break in it ends that."""
    return escaped(text)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(table: Table) -> None:
    """The table as wide as it is: a narrower terminal breaks its lines, which loses no figure."""
    free = out.options.update(max_width=_WIDEST)
    free = free.update(width=out.measure(table, options=free).maximum)
    out.print(Segments(out.render(table, free)), soft_wrap=True)


def print_answer(answer: Answer) -> None:
    """The answer with its markers, then each footnote: where it stands, and the exact quote."""
    for line in answer.text.splitlines():
        out.print(Text(line, style="yellow" if answer.abstained else "bold"))
    for citation in answer.citations:
        out.print(Padding(_footnote(citation), (0, 0, 0, 2)))


def _footnote(citation: Citation) -> Text:
    where = place(citation.page)
    source = one_line(f"{citation.title}{where}, characters {citation.start} to {citation.end}")
    quote = " ".join(citation.quote.split())
    return Text.assemble(
        (f"[{citation.marker}] ", "cyan"), source, (" ✓ verified\n", "green"), (f"“{quote}”", "dim")
    )


def escape_unprintable() -> None:
    """Have escapes for characters that the encoding of the output lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # None where whoever started it closed it
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error always does


def discard_output() -> None:
    """Let go of what standard output didn't take, which Python would try again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def fail(message: str, status: int = 1) -> NoReturn:
    """End the command with a message on standard error."""
    err.print(Text.assemble(("Error: ", "bold red"), message))
    raise SystemExit(status)
