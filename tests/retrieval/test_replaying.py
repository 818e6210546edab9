"""Stored answers asked again: over the same index, and over one that has changed."""

import anyio
import pytest

from retrieval.answering import Question
from retrieval.conversation import Turn
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest
from retrieval.recording import Recorder
from retrieval.replaying import Replayer
from retrieval.replays import Replay
from retrieval.responding import EXTRACTIVE
from retrieval.types import KnowledgeBaseSettings
from tests.retrieval.answered import ASKED, TEXT, answered, storing
from tests.retrieval.library import Library
from tests.retrieval.scripted import Scripted, threads


@pytest.fixture
def library(engine: Engine) -> Library:
    made = Library(engine)
    made.add("notes", TEXT)
    return made


def replayed(library: Library, key: str, chat: Scripted | None = None) -> Replay:
    engine = library.engine
    replayer = Replayer(storing(library, chat), Recorder(engine.answers, engine.embedders, chat))
    return anyio.run(replayer.replay, library.kb, engine.answers.find(key), threads)


def asked(library: Library, chat: Scripted | None = None, question: Question = ASKED) -> str:
    model = "tiny" if chat else EXTRACTIVE
    key = answered(library, storing(library, chat), model, question).id
    assert key is not None
    return key


def test_over_the_same_index_all_is_the_same_and_nothing_is_stored(library: Library) -> None:
    found = replayed(library, asked(library))
    assert found.same and found.same_answer and found.changes == ()
    assert library.engine.answers.count(library.kb) == 1


def test_the_same_prompt_and_seed_are_sent_again(library: Library) -> None:
    chat = Scripted("The warranty lasts 24 months [1].")
    found = replayed(library, asked(library, chat), chat)
    first, second = chat.asked
    assert tuple(first) == tuple(second) == found.now.prompt
    assert chat.options == {"seed": found.before.seed}
    assert found.same and found.same_answer and found.by_chat_model


def test_a_model_that_says_otherwise_is_told_from_a_search_that_finds_otherwise(
    library: Library,
) -> None:
    key = asked(library, Scripted("The warranty lasts 24 months [1]."))
    found = replayed(library, key, Scripted("It lasts 24 months, the warranty [1]."))
    assert found.same and not found.same_answer and found.text
    library.add("more", "The warranty of the Heron lasts 12 months.")
    changed = replayed(library, key, Scripted("The warranty lasts 24 months [1]."))
    assert not changed.same and changed.same_answer
    assert [one.uri for one in changed.came] == ["more"] and changed.gone == ()
    assert any("Heron" in line for line in changed.prompt)
    assert [change.name for change in changed.changes] == ["epoch"]


def test_quotes_change_with_the_documents(library: Library) -> None:
    key = asked(library)
    library.add("notes", TEXT.replace("24 months", "36 months"))
    found = replayed(library, key)
    assert not found.same and not found.same_answer
    assert (len(found.came), len(found.gone), len(found.cited), len(found.uncited)) == (1, 1, 1, 1)
    assert any(line.startswith("+") and "36 months" in line for line in found.text)


def test_the_same_options_are_used_again_and_changed_settings_are_told(library: Library) -> None:
    question = Question(ASKED.text, k=3, filter={"uri": "notes"}, min_confidence=0.99)
    key = asked(library, question=question)
    settings = KnowledgeBaseSettings(dense_weight=0.25, description="It decides nothing.")
    library.kb, _ = library.engine.create(library.kb.name, settings)
    found = replayed(library, key)
    assert found.now.question == question and found.now.said.abstained
    names = {change.name for change in found.changes}
    assert names == {"settings.dense_weight", "weighing.weight", "weighing.origin"}
    assert [len(found.moved), found.same] == [1, False]


def test_a_query_that_the_model_put_is_searched_for_as_it_was(library: Library) -> None:
    chat = Scripted("How long does the warranty of the Kestrel last?")
    question = Question("How long does it last?", history=(Turn("user", "The Kestrel?"),))
    key = asked(library, chat, question)
    assert library.engine.answers.find(key).record.rewritten
    other = Scripted("How long does the warranty of the Heron last?")
    found = replayed(library, key, other)
    assert found.same and found.now.query == found.before.query == chat.parts[0]
    assert len(chat.asked) == 2 and len(other.asked) == 1


def test_without_the_model_it_cannot_be_asked_again(library: Library) -> None:
    key = asked(library, Scripted("The warranty lasts 24 months [1]."))
    with pytest.raises(InvalidRequest, match="OLLAMA_HOST"):
        replayed(library, key)
