"""`footnote keys`: they work on the catalogue itself, also while a server runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.commands.options import DataOption, JsonOption, settings
from api.console import err, out, print_json, print_table
from api.keys import KeyReply
from retrieval.access import Scope
from retrieval.audit import AuditLog, Entry
from retrieval.database import Database
from retrieval.engine import catalogue
from retrieval.keys import Allowance, ApiKeys

cli = typer.Typer(
    help="Create, list and revoke API keys. Once there was one, the server needs one.",
    no_args_is_help=True,
)

_HERE = "command line"


@cli.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is called, for people.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it is for, by default `read`; may be repeated."),
    ] = None,
    kb: Annotated[
        list[str] | None,
        typer.Option(help="A knowledge base that it is for, by default all; may be repeated."),
    ] = None,
    expires: Annotated[float | None, typer.Option(help="Days that it is valid.")] = None,
    rate: Annotated[int | None, typer.Option(help="Requests a minute, at most.")] = None,
    documents: Annotated[
        int | None, typer.Option(help="Documents that its knowledge bases may hold together.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key, and print it. It can't be shown again."""
    allowance = Allowance(
        scopes=frozenset(scope or [Scope.READ]),
        knowledge_bases=frozenset(kb) if kb else None,
        rate=rate,
        max_documents=documents,
    )
    with _catalogue(data) as database:
        key, token = ApiKeys(database).create(name, allowance, expires)
        _note(database, "create", key.id)
    if as_json:
        print_json({**KeyReply.of(key).model_dump(mode="json"), "token": token})
        return
    err.print("This is the key. Keep it now: only its hash is stored.")
    typer.echo(token)


@cli.command("list")
def list_all(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List keys, also those that are revoked."""
    with _catalogue(data) as database:
        found = [KeyReply.of(key) for key in ApiKeys(database).all()]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table = Table(
        "id", "name", "state", "scopes", "knowledge bases", "a minute", "documents", "expires",
        "last used", box=None, header_style="bold",
    )  # fmt: skip
    for one in found:
        bases = "all" if one.knowledge_bases is None else ", ".join(one.knowledge_bases)
        limits = (str(number or "") for number in (one.rate, one.max_documents))
        times = (_day(moment) for moment in (one.expires_at, one.last_used_at))
        table.add_row(one.id, one.name, one.state, ", ".join(one.scopes), bases, *limits, *times)
    print_table(table)


@cli.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, or its name if no other has that.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key: a running server refuses it within a second or two."""
    with _catalogue(data) as database:
        revoked = ApiKeys(database).revoke(key)
        _note(database, "revoke", revoked.id)
    if as_json:
        print_json(KeyReply.of(revoked).model_dump(mode="json"))
    else:
        out.print(f"{revoked.name} ({revoked.id}): revoked")


@cli.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, help="Entries, the newest first.")] = 100,
    key: Annotated[str | None, typer.Option(help="Only those of the key with this id.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell who changed what over HTTP, and who was refused."""
    with _catalogue(data) as database:
        found = AuditLog(database).newest(limit, key)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table(
        "at", "key", "call", "knowledge base", "subject", "status", box=None, header_style="bold"
    )
    for one in found:
        at = datetime.fromtimestamp(one.at).isoformat(" ", "seconds")
        call = f"{one.method} {one.route}"
        table.add_row(at, one.key_id, call, one.knowledge_base, one.subject, str(one.status))
    print_table(table)


@contextmanager
def _catalogue(data: Path | None) -> Iterator[Database]:
    database = catalogue(settings(data).engine())
    try:
        yield database
    finally:
        database.close()


def _note(database: Database, what: str, key_id: str) -> None:
    AuditLog(database).add(Entry("", _HERE, f"footnote keys {what}", 0, subject=key_id))


def _day(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment).date().isoformat()
