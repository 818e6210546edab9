"""The command line: `footnote COMMAND`."""

import errno
import os

import typer
from pydantic import ValidationError

from api.commands import (
    archive,
    ask,
    backup,
    bench,
    demo,
    doctor,
    evaluate,
    ingest,
    keys,
    knowledge_bases,
    models,
    reindex,
    replay,
    search,
    serve,
    standin,
    sync,
)
from api.console import discard_output, escape_unprintable, fail
from api.log import configure
from api.settings import Settings
from api.version import VERSION
from evaluation.errors import EvaluationError
from ingest.errors import IngestError
from retrieval.errors import RetrievalError

cli = typer.Typer(
    name="footnote",
    help="A knowledge base whose every answer carries footnotes that have been checked.",
    epilog="Settings are environment variables named FOOTNOTE_*; the README lists them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.command()(demo.demo)
cli.command()(serve.serve)
cli.command()(serve.work)
cli.command()(ingest.ingest)
cli.command()(search.search)
cli.command()(ask.ask)
cli.command()(replay.replay)
cli.command()(sync.sync)
cli.command("export")(archive.export_archive)
cli.command("import")(archive.import_archive)
cli.command()(backup.backup)
cli.command()(backup.restore)
cli.command()(doctor.doctor)
cli.command()(reindex.reindex)
cli.add_typer(knowledge_bases.cli, name="kb")
cli.add_typer(keys.cli, name="keys")
cli.add_typer(evaluate.cli, name="eval")
cli.add_typer(bench.cli, name="bench")
cli.add_typer(models.cli, name="models")
cli.command("stand-in")(standin.standin)


@cli.callback()
def _logs() -> None:
    """What is reported on the way goes to standard error: what a command prints may be read on."""
    configure("info")


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


def main() -> None:
    """Run a command. Errors raised on purpose end it with their message and status 1.

    What it writes is its user's alone: it holds what nobody else was given to read.
    """
    os.umask(0o077)
    escape_unprintable()
    try:
        cli()
    except (RetrievalError, IngestError, EvaluationError) as error:
        fail(str(error))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        settings = "; ".join(
            f"FOOTNOTE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors()
        )
        fail(f"A setting doesn't fit: {settings}.", 2)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        discard_output()
        fail("There is no space left where this writes to: not all of it was written.")
