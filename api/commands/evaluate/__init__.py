"""`footnote eval`."""

import typer

from api.commands.evaluate.answers import answers
from api.commands.evaluate.gate import gate
from api.commands.evaluate.mteb import mteb
from api.commands.evaluate.own import kb
from api.commands.evaluate.pages import pages
from api.commands.evaluate.reader import reader
from api.commands.evaluate.retrieval import chunking, compare, retrieval
from api.commands.evaluate.trec import trec
from api.commands.evaluate.verification import verification

cli = typer.Typer(help="Measure retrieval, answers and abstention.", no_args_is_help=True)
for command in (
    *(retrieval, compare, gate, trec, mteb, chunking),
    *(kb, pages, answers, verification, reader),
):
    cli.command()(command)
