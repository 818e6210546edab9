"""`footnote search`."""

from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from api.commands.filters import parse_filter
from api.commands.options import (
    DEFAULT_KB,
    DataOption,
    FilterOption,
    JsonOption,
    KnowledgeBaseOption,
    settings,
)
from api.console import out, print_json
from api.replies import SearchReply
from api.service import open_service
from retrieval.citations import place
from retrieval.search import Query
from retrieval.types import Hit, Mode

_SHOWN = 240  # code points of a chunk


def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    k: Annotated[int, typer.Option("--top", "-n", help="How many chunks.")] = 10,
    mode: Annotated[Mode, typer.Option(help="Which legs to use.")] = Mode.HYBRID,
    filter: FilterOption = "{}",  # noqa: A002
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the chunks that fit a query best."""
    with open_service(settings(data)) as service:
        asked = Query(query, k, mode, parse_filter(filter))
        found = service.engine.searcher.search(service.engine.open(kb), asked)
    if as_json:
        print_json(SearchReply.of(found).model_dump(mode="json"))
        return
    for hit in found.hits:
        out.print(_heading(hit))
        text = " ".join(hit.text.split())
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        out.print(Padding(Text(shown), (0, 0, 1, 4)))
    if not found.hits:
        out.print("Nothing was found.")


def _heading(hit: Hit) -> Text:
    page = place(hit.page)
    path = "".join(f" › {title}" for title in hit.chunk.heading)
    legs = ", ".join(f"{leg.name} {leg.score:.3f} (no. {leg.rank})" for leg in hit.legs)
    return Text.assemble(
        (f"{hit.rank:>2}. ", "cyan"),
        (f"{hit.title}{path}{page}", "bold"),
        (f"  {hit.score:.3f} = {legs}", "dim"),
    )
