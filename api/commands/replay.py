"""`footnote replay`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import anyio
import typer
from rich.text import Text

from api.commands.options import DataOption, JsonOption, settings
from api.console import one_line, out, print_json
from api.routes.dependencies import in_thread
from api.service import open_service
from api.stored_answers import ReplayReply
from retrieval.changes import Change
from retrieval.engine import Engine
from retrieval.errors import AnswerNotFound, KnowledgeBaseNotFound
from retrieval.records import Candidate
from retrieval.replays import Replay
from retrieval.types import Citation

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def replay(
    answer: Annotated[
        str, typer.Argument(metavar="ID", help="Of an answer stored by FOOTNOTE_STORE_ANSWERS.")
    ],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the question of a stored answer again, and show what differs.

    The exit status is 0 where the candidates, their scores and the prompt are the same to the last
    bit, and so is the answer; 1 where anything differs. What a chat model says isn't counted: the
    same prompt and seed may get other words. 2 is an answer that isn't there.
    """
    with open_service(settings(data)) as service:
        found = anyio.run(_replayed, service.engine, answer)
    if as_json:
        print_json(ReplayReply.of(found).model_dump(mode="json"))
    else:
        _print(found)
    if not found.same:
        raise typer.Exit(1)


async def _replayed(engine: Engine, answer_id: str) -> Replay:
    try:
        stored = engine.answers.find(answer_id)
        kb = engine.knowledge_bases.by_id(stored.kb_id)
        if kb is None:
            raise KnowledgeBaseNotFound(stored.kb_id)
    except AnswerNotFound as error:
        raise typer.BadParameter(str(error)) from error
    return await engine.replayer.replay(engine.open(kb.name), stored, in_thread)


def _print(found: Replay) -> None:
    at = datetime.fromtimestamp(found.stored.created_at, UTC)
    out.print(Text(f"? {found.before.question.text}", style="bold cyan"))
    out.print(f"Answered on {at:%Y-%m-%d at %H:%M} UTC by {found.before.model}.\n")
    _part("What decides", not found.changes, map(_change, found.changes))
    _part("Candidates", found.same_candidates, _candidates(found))
    if found.before.prompt or found.now.prompt:
        _part("Prompt", found.same_prompt, map(_line, found.prompt))
    said = [*map(_line, found.text), *_citations(found), *map(_change, found.judged)]
    _part("Answer", found.same_answer, said)
    if found.by_chat_model and not found.same_answer:
        out.print("A chat model may say other words to the same prompt: that isn't counted.")


def _part(name: str, same: bool, lines: Iterator[Text] | Sequence[Text]) -> None:
    verdict = ("the same", "green") if same else ("differs", "yellow")
    out.print(Text.assemble((f"{name}: ", "bold"), verdict))
    for line in lines:
        out.print(Text("  ") + line, soft_wrap=True)  # lines of a diff stay whole


def _candidates(found: Replay) -> Iterator[Text]:
    yield from (Text(f"+ {_told(one)}", "green") for one in found.came)
    yield from (Text(f"- {_told(one)}", "red") for one in found.gone)
    for before, after in found.moved:
        change = f"no. {before.rank}, {before.score!r} -> no. {after.rank}, {after.score!r}"
        yield Text(f"  {_span(after)}: {change}")


def _citations(found: Replay) -> Iterator[Text]:
    yield from (Text(f"+ cited: {_span(one)}", "green") for one in found.cited)
    yield from (Text(f"- cited: {_span(one)}", "red") for one in found.uncited)


def _told(one: Candidate) -> str:
    return f"no. {one.rank}, {one.score!r}: {_span(one)}"


def _span(one: Candidate | Citation) -> str:
    return one_line(f"{one.uri}, characters {one.start} to {one.end}")


def _change(change: Change) -> Text:
    return Text(f"{change.name}: {change.before or 'none'} -> {change.after or 'none'}")


def _line(line: str) -> Text:
    return Text(line, _STYLES.get(line[:1], ""))
