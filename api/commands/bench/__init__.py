"""`footnote bench`: how a server bears load, and ingestion everything else."""

import typer

from api.commands.bench import ingestion, server

cli = typer.Typer(help="Measure a running server under load, and ingestion.", no_args_is_help=True)
for command in (
    *(server.calls, server.passing),
    *(ingestion.crash, ingestion.files, ingestion.ingest, ingestion.parsers),
):
    cli.command()(command)
