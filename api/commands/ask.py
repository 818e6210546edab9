"""`footnote ask`."""

from typing import Annotated

import typer

from api.commands.filters import parse_filter
from api.commands.options import (
    DEFAULT_KB,
    DataOption,
    FilterOption,
    JsonOption,
    KnowledgeBaseOption,
    settings,
)
from api.console import print_answer, print_json
from api.replies import AnswerReply
from api.service import open_service
from retrieval.answering import Question


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    filter: FilterOption = "{}",  # noqa: A002
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents, with footnotes; or say that they don't answer it."""
    with open_service(settings(data)) as service:
        asked = Question(question, filter=parse_filter(filter))
        answer = service.engine.answering.ask(service.engine.open(kb), asked)
    if as_json:
        print_json(AnswerReply.of(answer).model_dump(mode="json"))
    else:
        print_answer(answer)
