"""Answers of a chat model as they are streamed: what the check of each sentence costs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer
from rich.table import Table

import sample_docs
from api.commands.bench.aside import SERVE
from api.commands.options import JsonOption
from api.console import fail, out, print_json
from api.progress import tracking
from api.standin.catalogue import default_models
from api.standin.chatting import ChatModel
from api.standin.server import create_standin, running
from api.wire.models import Completion
from evaluation.errors import LoadError
from evaluation.machine import describe
from evaluation.open_loop import percentile
from evaluation.questions import read_questions
from evaluation.serving_bench.server import own_server
from evaluation.streamed_answers import Streamed, quoting, streamed

_QUOTING = "quoting"
_KB = "bench"
_PERCENTILES = (0.5, 0.95)


def answers(
    model: Annotated[
        str,
        typer.Option(
            help="A chat model of the Ollama server; by default a stand-in that says sentences of "
            "its prompt again."
        ),
    ] = "",
    pace: Annotated[
        float, typer.Option(min=0.0, help="Seconds that the stand-in takes for a word.")
    ] = 0.01,
    rounds: Annotated[int, typer.Option(min=1, help="How often each question is asked.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Stream answers over the sample documents from a server of its own: how much later than the
    chat model's first token leaves the answer's, and what does it take to check a sentence?

    A stand-in's time to its first token is no model's; what is added to it is the server's.
    """
    questions = [one.question for one in read_questions(sample_docs.FOLDER / "questions.jsonl")]
    try:
        with _served(model, pace) as place, httpx.Client(trust_env=False) as client:
            name = model or _QUOTING
            streamed(client, place, questions[0], name)  # loads what is loaded once
            with tracking() as track:
                watch = track("questions", rounds * len(questions))
                found: list[Streamed] = []
                for done, question in enumerate(questions * rounds, start=1):
                    answer = streamed(client, place, question, name)
                    found += [answer] if answer else []
                    watch(done)
    except LoadError as error:
        fail(str(error))
    if not found:
        fail("Every question was abstained from.")
    _tell(found, as_json)


@contextmanager
def _served(model: str, pace: float) -> Iterator[str]:
    """Where a knowledge base with the sample documents is, before the Ollama server or a stand-in.

    Raises LoadError.
    """
    if model:
        with _filled({}) as place:
            yield place
        return
    stand_in = ChatModel(_QUOTING, script=_say, seconds=pace)
    with (
        running(create_standin([*default_models(), stand_in])) as url,
        _filled({"FOOTNOTE_OLLAMA_HOST": url}) as place,
    ):
        yield place


@contextmanager
def _filled(environment: Mapping[str, str]) -> Iterator[str]:
    with own_server(SERVE, environment) as server, httpx.Client(trust_env=False) as client:
        server.wait_until(lambda: _call(client, "GET", f"{server.url}/ready"))
        place = f"{server.url}/kb/{_KB}"
        _call(client, "PUT", place)
        _call(client, "POST", f"{place}/samples?wait=true")
        yield place


def _call(client: httpx.Client, method: str, url: str) -> None:
    try:
        client.request(method, url, timeout=300.0).raise_for_status()
    except httpx.HTTPError as error:
        raise LoadError(f"{url}: {error}") from error


def _say(completion: Completion) -> str:
    return quoting(completion.messages[-1].content)


def _tell(found: Sequence[Streamed], as_json: bool) -> None:
    rows = {
        "search and choice of passages": [one.retrieval for one in found],
        "the chat model's first token": [one.model for one in found],
        "added to that until the answer's": [one.added for one in found],
        "the check of a sentence": [one.a_sentence for one in found],
    }
    figures = {
        name: {f"p{100 * p:.0f}": 1e3 * (percentile(took, p) or 0.0) for p in _PERCENTILES}
        for name, took in rows.items()
    }
    if as_json:
        print_json({"answers": len(found), "milliseconds": figures, "machine": describe()})
        return
    table = Table(f"{len(found)} answers, ms", "p50", "p95", box=None)
    for name, row in figures.items():
        table.add_row(name, *(f"{value:.1f}" for value in row.values()))
    out.print(table)
    out.print(describe())
