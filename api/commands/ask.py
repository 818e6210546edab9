"""`footnote ask`."""

from typing import Annotated

import anyio
import anyio.to_thread
import typer
from rich.text import Text

from api.commands.filters import parse_filter
from api.commands.options import (
    DEFAULT_KB,
    DataOption,
    FilterOption,
    JsonOption,
    KnowledgeBaseOption,
    settings,
)
from api.console import out, print_answer, print_json
from api.replies import AnswerReply
from api.routes.dependencies import in_thread
from api.service import open_service
from retrieval.answering import Question
from retrieval.engine import Engine
from retrieval.types import Answer


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    filter: FilterOption = "{}",  # noqa: A002
    model: Annotated[
        str, typer.Option(help="The chat model, or `extractive`; by default as configured.")
    ] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents, with footnotes; or say that they don't answer it."""
    with open_service(settings(data)) as service:
        asked = Question(question, filter=parse_filter(filter))
        answer = anyio.run(_answer, service.engine, kb, asked, model)
    if as_json:
        print_json(AnswerReply.of(answer).model_dump(mode="json"))
    else:
        print_answer(answer)
        if answer.id:
            out.print(Text(f"Stored: footnote replay {answer.id}", "dim"))


async def _answer(engine: Engine, kb: str, question: Question, model: str) -> Answer:
    opened = engine.open(kb)
    chosen = await engine.responding.model(opened, model)
    return await engine.responding.answer(opened, question, chosen, in_thread)
