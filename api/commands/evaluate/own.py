"""`footnote eval kb`."""

from pathlib import Path
from typing import Annotated

import anyio
import typer

from api.commands.evaluate.options import ReportOption, RunOption
from api.commands.evaluate.reporting import ReportFolder
from api.commands.evaluate.tables import print_note, table_of, to_json
from api.commands.options import DataOption, JsonOption, settings
from api.console import err, out, print_json, print_table
from api.progress import Track, tracking
from api.service import open_service
from evaluation.chat_questions import chat_set
from evaluation.own_measuring import configurations, measure, with_texts
from evaluation.own_questions import feedback_set, given_set, read_own_questions
from evaluation.report.content import Figures
from evaluation.sentence_questions import sentence_set
from evaluation.test_set import TestSet
from retrieval.chat.ollama import OllamaChat
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest
from retrieval.responding import EXTRACTIVE
from retrieval.types import KnowledgeBase

_GENERATED = 200  # questions


def kb(
    name: Annotated[str, typer.Argument(help="The knowledge base.")],
    questions: Annotated[
        Path | None,
        typer.Option(
            help="JSON Lines with `question` and `document`, a uri or id, and maybe `start` and "
            "`end` of the passage that answers."
        ),
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="The questions that feedback was given on.")
    ] = False,
    generated: Annotated[
        int | None,
        typer.Option(min=1, help="So many sentences of the text, searched for without them."),
    ] = None,
    chat_model: Annotated[
        str | None,
        typer.Option(
            help="With --generated: questions that this model of the Ollama server asks of so "
            "many passages. --out keeps them in questions.jsonl."
        ),
    ] = None,
    run: RunOption = None,
    into: ReportOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Which sentences are taken.")] = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a knowledge base of yours as it stands: each leg and both, or as --run says.

    The questions are those of the feedback on it, if there is any, or else made of its text. What
    needs another index, model, tokens, overlap or whole, can't differ here.
    """
    if (questions is not None) + feedback + (generated is not None) > 1:
        raise typer.BadParameter("--questions, --feedback and --generated exclude each other.")
    if chat_model and generated is None:
        raise typer.BadParameter("--chat-model is for --generated.")
    report = ReportFolder(into) if into else None
    with open_service(settings(data)) as service, tracking() as track:
        engine = service.engine
        found = engine.open(name)
        asked = configurations(found, run or ())
        if questions is not None:
            test_set = given_set(engine, found, read_own_questions(questions))
        elif feedback or (generated is None and engine.feedback.count(found)):
            test_set = feedback_set(engine, found)
        elif chat_model and generated:
            test_set = anyio.run(_asked_by, engine, found, chat_model, generated, seed, track)
        else:
            test_set = sentence_set(engine, found, generated or _GENERATED, seed)
        judged = measure(engine, found, test_set, asked, track)
        if report:
            test_set = with_texts(engine, found, test_set, judged[-1])
    told = [to_json(test_set, [Figures.of(one) for one in judged])]
    if as_json:
        print_json(told)
    else:
        print_table(table_of(test_set, judged))
        print_note(test_set, out)
    if report:
        report.add(test_set, judged)
        if chat_model:
            report.add_questions(test_set)
        report.finish(told)
        report.tell(err if as_json else out)


async def _asked_by(
    engine: Engine, kb: KnowledgeBase, wanted: str, count: int, seed: int, track: Track
) -> TestSet:
    """The questions of a chat model. Raises InvalidRequest where it isn't there."""
    model = await engine.responding.model(kb, wanted)
    if model == EXTRACTIVE:
        raise InvalidRequest(f"{EXTRACTIVE!r} only quotes: name a model of the Ollama server.")
    chat = OllamaChat(engine.settings.ollama, engine.settings.chat_context)
    return await chat_set(engine, kb, chat, model, count, seed, track)
