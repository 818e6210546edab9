"""Questions by a chat model, at the stand-in."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from api.wire.models import Completion
from evaluation.chat_questions import chat_set
from evaluation.errors import DatasetError
from evaluation.own_questions import given_set, read_own_questions, write_own_questions
from evaluation.test_set import TestSet
from retrieval.chat.ollama import OllamaChat
from retrieval.ollama.settings import OllamaSettings
from tests.evaluation.own import TEXTS, filled, silent
from tests.retrieval.library import Library

Script = Callable[[str], str]


def asked(library: Library, script: Script, count: int = 10) -> TestSet:
    """The set that a model with this script makes of the passages that it is shown."""

    def say(completion: Completion) -> str:
        return script(completion.messages[-1].content)

    async def make() -> TestSet:
        chat = OllamaChat(OllamaSettings(url), 2_048)
        return await chat_set(library.engine, library.kb, chat, "tiny", count, 0, silent)

    with running(create_standin(default_models(say))) as url:
        return anyio.run(make)


def test_each_passage_gives_one_question_and_is_its_gold(library: Library) -> None:
    filled(library)
    found = asked(library, lambda told: "运费险多久？" if "运费险" in told else f"{told[-9:]}?")
    [shipping] = [key for key, text in found.questions.items() if text == "运费险多久？"]
    [gold] = found.gold[shipping]
    assert (gold.document, gold.start, gold.end) == ("运费 险", 0, len(TEXTS["运费 险"]))
    assert found.grades[shipping] == {"运费 险": 1}
    assert len(found.questions) == 3
    assert "asked by tiny of one passage each; 0 of 3 replies" in found.note


def test_no_more_are_asked_than_wanted(library: Library) -> None:
    filled(library)
    assert len(asked(library, lambda told: told[-9:], 2).questions) == 2


@pytest.mark.parametrize("reply", ["", ' "" ', "Hm? " * 100])
def test_what_is_no_question_is_left_out_and_counted(library: Library, reply: str) -> None:
    filled(library)
    found = asked(library, lambda told: "When is tea?" if "tea" in told else reply)
    assert list(found.questions.values()) == ["When is tea?"]
    assert "2 of 3 replies were no question" in found.note
    with pytest.raises(DatasetError, match="Of 3 replies of 'tiny' none was a question"):
        asked(library, lambda _: reply)


def test_passages_that_give_the_same_question_all_answer_it(library: Library) -> None:
    filled(library)
    found = asked(library, lambda _: "What is said?")
    [key] = found.questions
    assert found.grades[key] == dict.fromkeys(TEXTS, 1)
    assert {span.document for span in found.gold[key]} == TEXTS.keys()


def test_a_knowledge_base_without_text_has_nothing_to_ask_of(library: Library) -> None:
    with pytest.raises(DatasetError, match="too little text"):
        asked(library, lambda told: told)


def test_what_was_asked_can_be_asked_again(library: Library, tmp_path: Path) -> None:
    filled(library)
    found = asked(library, lambda told: f"{told[-9:]}?")
    path = tmp_path / "questions.jsonl"
    write_own_questions(path, found)
    again = given_set(library.engine, library.kb, read_own_questions(path))
    assert (again.questions, again.grades, again.gold) == (
        found.questions,
        found.grades,
        found.gold,
    )
