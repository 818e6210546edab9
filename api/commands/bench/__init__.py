"""`footnote bench`: how a server bears load, how searches last, what ingestion survives."""

import typer

from api.commands.bench import (
    answering,
    clustering,
    embedding,
    engine,
    ingestion,
    searching,
    server,
    serving,
    soaking,
    storing,
    working,
)

cli = typer.Typer(
    help="Measure a running server under load, search, and ingestion.", no_args_is_help=True
)
for command in (
    *(
        server.calls,
        server.passing,
        serving.serve,
        soaking.soak,
        clustering.cluster,
        answering.answers,
        searching.search,
        storing.stores,
        working.workers,
        embedding.embed,
    ),
    *(engine.engine, ingestion.crash, ingestion.files, ingestion.ingest, ingestion.parsers),
):
    cli.command()(command)
