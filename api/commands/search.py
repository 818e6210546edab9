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
from api.console import one_line, out, print_json
from api.explaining import explained_search
from api.replies import HitReply, WeighingReply
from api.service import open_service
from retrieval.citations import place
from retrieval.search import Query
from retrieval.types import Mode

_SHOWN = 240  # code points of a chunk


def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    k: Annotated[int, typer.Option("--top", "-n", help="How many chunks.")] = 10,
    mode: Annotated[Mode, typer.Option(help="Which legs to use.")] = Mode.HYBRID,
    filter: FilterOption = "{}",  # noqa: A002
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how the legs were weighed.")
    ] = False,
    why: Annotated[
        str | None,
        typer.Option(help="A document, by id or uri: say why it is found or isn't."),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the chunks that fit a query best."""
    with open_service(settings(data)) as service:
        asked = Query(query, k, mode, parse_filter(filter))
        found = explained_search(service, kb, asked, explain=explain, why=why)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for hit in found.hits:
        out.print(_heading(hit))
        text = " ".join(hit.text.split())
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        out.print(Padding(Text(shown), (0, 0, 1, 4)))
    if not found.hits:
        out.print("Nothing was found.")
    if found.weighing:
        out.print(_told(found.weighing))
    if found.why:
        out.print(Text.assemble((one_line(f"{found.why.title}: "), "bold"), found.why.reason))


def _told(weighing: WeighingReply) -> str:
    told = (
        f"Fused by {weighing.fusion}, the dense leg with a weight of {weighing.weight:.2f} "
        f"({weighing.origin})."
    )
    if weighing.legible < 1.0:
        told += f" The model knows {weighing.legible:.0%} of its tokens as words."
    if weighing.mean is not None:
        told += f" Cosines of this question: {weighing.mean:.3f} ± {weighing.deviation:.3f}."
    return told


def _heading(hit: HitReply) -> Text:
    page = place(hit.page)
    path = "".join(f" › {title}" for title in hit.heading)
    legs = " + ".join(
        f"{leg.name} {leg.share:.3f} (no. {leg.rank}, {leg.score:.3f})" for leg in hit.legs
    )
    return Text.assemble(
        (f"{hit.rank:>2}. ", "cyan"),
        (one_line(f"{hit.title}{path}{page}"), "bold"),
        (f"  {hit.score:.3f} = {legs}", "dim"),
    )
