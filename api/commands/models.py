"""`footnote models`: the models of the Ollama server."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

import anyio
import typer
from rich.table import Table

from api.commands.options import JsonOption
from api.console import out, print_json
from api.progress import downloading
from api.settings import Settings
from retrieval.ollama.client import OllamaClient
from retrieval.ollama.types import ModelSummary, Progress

T = TypeVar("T")

cli = typer.Typer(
    help="List, fetch, load and delete the models of the Ollama server (OLLAMA_HOST).",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The model, like qwen3:4b.")]
Insecure = Annotated[bool, typer.Option(help="Allow a registry without TLS.")]

_UNITS = ("B", "kB", "MB", "GB", "TB")


@cli.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the models that the server has."""
    found = _run(lambda client: client.tags())
    if as_json:
        print_json([_row(one) for one in found])
        return
    table = Table("name", "id", "size", "modified", box=None, header_style="bold")
    for one in found:
        table.add_row(one.name, one.digest[:12], _bytes(one.size), one.modified_at[:19])
    out.print(table)


@cli.command()
def ps(as_json: JsonOption = False) -> None:
    """List the models that are loaded, with their place and until when."""
    found = _run(lambda client: client.running())
    if as_json:
        print_json([_row(one) for one in found])
        return
    table = Table("name", "size", "on GPU", "context", "until", box=None, header_style="bold")
    for one in found:
        share = f"{100 * one.size_vram // one.size} %" if one.size else "?"
        until = one.expires_at[:19]
        table.add_row(one.name, _bytes(one.size), share, str(one.context_length), until)
    out.print(table)


@cli.command()
def show(model: Name, as_json: JsonOption = False) -> None:
    """Show what a model is and can do."""
    shown = _run(lambda client: client.show(model))
    facts: dict[str, Any] = {
        "architecture": shown.architecture,
        "capabilities": list(shown.capabilities),
        "context_length": shown.context_length,
        "embedding_length": shown.embedding_length,
        "details": dict(shown.details),
        "parameters": {name: list(values) for name, values in shown.parameters.items()},
        "system": shown.system,
        "template": shown.template,
    }
    if as_json:
        print_json(facts)
        return
    table = Table("", "", box=None, show_header=False)
    for name, value in facts.items():
        for line in _lines(value):
            table.add_row(name.replace("_", " "), line)
            name = ""
    out.print(table)


@cli.command()
def pull(model: Name, insecure: Insecure = False) -> None:
    """Fetch a model. What an interrupted attempt fetched isn't fetched again."""
    _watch(lambda client: client.pull(model, insecure=insecure))
    out.print(f"{model}: fetched")


@cli.command()
def push(model: Name, insecure: Insecure = False) -> None:
    """Send a model to its registry."""
    _watch(lambda client: client.push(model, insecure=insecure))
    out.print(f"{model}: sent")


@cli.command()
def load(
    model: Name,
    keep_alive: Annotated[str, typer.Option(help="How long it stays, like 1h.")] = "30m",
) -> None:
    """Load a model into memory."""
    stay = float(keep_alive) if re.fullmatch(r"-?\d+(?:\.\d+)?", keep_alive) else keep_alive
    _run(lambda client: client.load(model, stay))
    out.print(f"{model}: loaded")


@cli.command()
def unload(model: Name) -> None:
    """Take a model out of memory."""
    _run(lambda client: client.unload(model))
    out.print(f"{model}: unloaded")


@cli.command()
def copy(source: Name, destination: Annotated[str, typer.Argument(help="Its new name.")]) -> None:
    """Give a model another name too."""
    _run(lambda client: client.copy(source, destination))
    out.print(f"{source}: is also {destination}")


@cli.command()
def create(
    model: Annotated[str, typer.Argument(help="The name of the new model.")],
    source: Annotated[str, typer.Option("--from", help="The model that it is made from.")],
    system: Annotated[str, typer.Option(help="What it is told first.")] = "",
) -> None:
    """Make a model from another, with a system prompt of its own."""
    body = {"model": model, "from": source, **({"system": system} if system else {})}
    _watch(lambda client: client.create(body))
    out.print(f"{model}: created")


@cli.command()
def delete(
    model: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False
) -> None:
    """Delete a model from the server."""
    if not yes:
        typer.confirm(f"Delete {model}?", abort=True)
    _run(lambda client: client.delete(model))
    out.print(f"{model}: deleted")


@cli.command()
def version() -> None:
    """Print the version of the server."""
    out.print(_run(lambda client: client.version()))


def _run(call: Callable[[OllamaClient], Awaitable[T]]) -> T:
    """The result of a call to the server that is configured, or of the usual address."""

    async def called() -> T:
        async with Settings().engine().ollama.client() as client:
            return await call(client)

    return anyio.run(called)


def _watch(begin: Callable[[OllamaClient], AsyncGenerator[Progress]]) -> None:
    """Show how far it is, until it is done."""

    async def watched(client: OllamaClient) -> None:
        with downloading() as bar:
            async with aclosing(begin(client)) as steps:
                async for step in steps:
                    bar(step.status, step.completed, step.total)

    _run(watched)


def _row(one: ModelSummary) -> dict[str, Any]:
    return {
        "name": one.name,
        "digest": one.digest,
        "size": one.size,
        "modified_at": one.modified_at,
        "expires_at": one.expires_at,
        "size_vram": one.size_vram,
        "context_length": one.context_length,
        "details": dict(one.details),
    }


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}: {_flat(one)}" for name, one in value.items() if one]
    if isinstance(value, list):
        return [_flat(value)] if value else []
    return str(value).splitlines() if value else []


def _flat(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _bytes(size: float) -> str:
    unit = 0
    while size >= 1_000 and unit < len(_UNITS) - 1:
        size, unit = size / 1_000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
