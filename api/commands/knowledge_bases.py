"""`footnote kb`."""

from typing import Annotated

import typer
from rich.table import Table

from api.commands.options import DataOption, JsonOption, settings
from api.console import out, print_json
from api.replies import KnowledgeBaseReply
from api.service import open_service

cli = typer.Typer(help="List, create and delete knowledge bases.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The knowledge base.")]


@cli.command("list")
def list_all(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List knowledge bases with their counts and embedding models."""
    with open_service(settings(data)) as service:
        engine = service.engine
        found = [KnowledgeBaseReply.of(engine, kb) for kb in engine.knowledge_bases.all()]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table = Table("name", "documents", "chunks", "embedding model", box=None, header_style="bold")
    for one in found:
        table.add_row(one.name, str(one.documents), str(one.chunks), one.embedding_model)
    out.print(table)


@cli.command()
def create(name: Name, data: DataOption = None) -> None:
    """Create a knowledge base; one that is there stays as it is."""
    with open_service(settings(data)) as service:
        _, new = service.engine.create(name)
    out.print(f"{name}: {'created' if new else 'was there already'}")


@cli.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    data: DataOption = None,
) -> None:
    """Delete a knowledge base and everything in it."""
    with open_service(settings(data)) as service:
        kb = service.engine.knowledge_bases.get(name)
        documents, _ = service.engine.knowledge_bases.counts(kb)
        if not yes:
            typer.confirm(f"Delete {name} and its {documents} documents?", abort=True)
        service.remove_knowledge_base(kb)
    out.print(f"{name}: deleted")
