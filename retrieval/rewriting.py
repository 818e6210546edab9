"""What a question means without the conversation, as a chat model puts it."""

import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from retrieval.analysis import analyse
from retrieval.conversation import Turn
from retrieval.ports import ChatModels
from retrieval.prompting import estimate, newest
from retrieval.question import content_terms

_RULES = """\
Rewrite the last question of a conversation so that it can be understood without the conversation: \
put in what its pronouns and omissions stand for.
- Change nothing else. Keep its language, its names and its numbers.
- If it is understood by itself, or begins another topic, repeat it as it is.
- Don't answer it. Say the question and nothing else."""
_TURNS = 6  # what a question points to is rarely further back
_TURN = 1_000  # characters of one
_TOKENS = 160  # of what is rewritten
_LONGEST = 400  # characters of it
_ASKS = ("?", "？")
_AROUND = " \n\t\"'“”「」*"  # what models put around it
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_LABEL = re.compile(r"^(?:(?:standalone |rewritten |last )?question|问题)\s?[:：]", re.IGNORECASE)
_KEPT = 0.5  # of the question's own terms, without which it is another question


async def rewritten(
    chat: ChatModels,
    model: str,
    question: str,
    history: Sequence[Turn],
    options: Mapping[str, Any],
) -> str:
    """The question by itself; empty where the model says something else instead.

    Raises ModelServerError.
    """
    turns = [turn for turn in history if turn.role in ("user", "assistant")][-_TURNS:]
    room = await chat.window(model) // 2 - estimate(_RULES + question) - _TOKENS
    shortened = [Turn(turn.role, turn.content[:_TURN]) for turn in turns]
    said = "\n".join(f"{turn.role}: {turn.content}" for turn in newest(shortened, room))
    last = Turn("user", f"Conversation:\n{said}\n\nLast question: {question}")
    given = {**options, "temperature": 0, "seed": options.get("seed", 0), "num_predict": _TOKENS}
    messages = (Turn("system", _RULES), last)
    stream = chat.stream(model, messages, given, sum(estimate(one.content) for one in messages))
    made = ""
    async with aclosing(stream) as parts:
        async for part in parts:
            made += part.content
    return _checked(made, question)


def _checked(made: str, question: str) -> str:
    """What was made of a question, if that is still one line that asks for the same."""
    line = _LABEL.sub("", _THOUGHT.sub("", made).strip(_AROUND)).strip(_AROUND)
    terms = frozenset(content_terms(question))
    kept = len(terms & frozenset(analyse(line)))
    asks = line.endswith(_ASKS) or not (
        question.rstrip().endswith(_ASKS) or line.endswith((".", "。", "]"))
    )
    fits = asks and "\n" not in line and len(line) <= _LONGEST and kept >= _KEPT * len(terms)
    return line if fits else ""
