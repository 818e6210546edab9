"""How a running server bears load."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import anyio
import typer
from rich.table import Table

from api.commands.options import JsonOption
from api.console import out, print_json
from evaluation.load import Flood, first_bytes, flood, made_up

_WARM_UP = 20  # requests that aren't counted

Url = Annotated[str, typer.Argument(help="The server, like http://127.0.0.1:7373.")]


def calls(
    url: Url,
    model: Annotated[str, typer.Option(help="The embedding model.")] = "all-minilm",
    texts: Annotated[int, typer.Option(min=1, help="Calls at once, a text each.")] = 2_000,
    words: Annotated[int, typer.Option(min=1, help="Words of a text, about.")] = 20,
    repeats: Annotated[int, typer.Option(min=1, help="How often.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Embed texts in full requests, then in a request each, all at once; compare."""
    made = made_up(texts, words)
    found = [anyio.run(flood, url.rstrip("/"), model, made) for _ in range(repeats)]
    if as_json:
        print_json([{**asdict(one), "share": one.share} for one in found])
        return
    table = Table("texts", "answered", "full requests", "at once", "share", box=None)
    for one in found:
        table.add_row(*_row(one))
    out.print(table)
    out.print(f"median share: {statistics.median(one.share for one in found):.2f}")


def passing(
    url: Url,
    upstream: Annotated[str, typer.Argument(help="The Ollama server behind it.")],
    model: Annotated[str, typer.Option(help="A chat model there.")] = "tiny",
    repeats: Annotated[int, typer.Option(min=1, help="Chats with each.")] = 300,
    as_json: JsonOption = False,
) -> None:
    """Compare the first byte of a streamed chat through the server and directly, in turns."""
    servers = [upstream.rstrip("/"), url.rstrip("/")]
    times = anyio.run(first_bytes, servers, model, repeats + _WARM_UP)
    direct, through = (sorted(one[_WARM_UP:]) for one in times)
    rows = {"direct": _percentiles(direct), "through": _percentiles(through)}
    added = rows["through"]["p50"] - rows["direct"]["p50"]
    if as_json:
        print_json({**rows, "added_p50": added})
        return
    table = Table("", "p50", "p95", box=None)
    for name, row in rows.items():
        table.add_row(name, f"{row['p50']:.2f} ms", f"{row['p95']:.2f} ms")
    out.print(table)
    out.print(f"added at p50: {added:.2f} ms")


def _row(one: Flood) -> list[str]:
    return [
        str(one.texts),
        str(one.answered),
        f"{one.batched:.0f}/s",
        f"{one.single:.0f}/s",
        f"{one.share:.2f}",
    ]


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds, of sorted values."""
    return {f"p{p}": seconds[(len(seconds) - 1) * p // 100] * 1e3 for p in (50, 95)}
