"""`footnote eval`."""

import typer

from api.commands.evaluate.answers import abstention, answers
from api.commands.evaluate.gate import gate
from api.commands.evaluate.mteb import mteb
from api.commands.evaluate.own import kb
from api.commands.evaluate.pages import pages
from api.commands.evaluate.retrieval import chunking, compare, retrieval
from api.commands.evaluate.trec import trec

cli = typer.Typer(help="Measure retrieval, answers and abstention.", no_args_is_help=True)
for command in (
    *(retrieval, compare, gate, trec, mteb, chunking),
    *(kb, pages, answers, abstention),
):
    cli.command()(command)
