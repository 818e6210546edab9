"""Answers that are stored as they are given: with quotes, by a chat model, or not at all."""

from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from retrieval.answer_log import AnswerLog
from retrieval.answering import Basis, Question
from retrieval.conversation import Turn
from retrieval.engine import Engine
from retrieval.errors import ModelServerBroken, ModelServerRefused, StoreUnavailable
from retrieval.prompting import Prompt
from retrieval.recording import seeded
from retrieval.records import Record
from retrieval.responding import EXTRACTIVE
from retrieval.types import Answer, Piece
from tests.retrieval.answered import ASKED, TEXT, answered, storing
from tests.retrieval.library import Library
from tests.retrieval.scripted import Scripted, threads


class Unnamed(Scripted):
    """A model whose server can't tell its digest."""

    async def digest(self, model: str) -> str:
        raise ModelServerBroken("no list")


class FullLog(AnswerLog):
    def add(self, *_: Any) -> str:
        raise StoreUnavailable("the disk is full")


@pytest.fixture
def library(engine: Engine) -> Library:
    made = Library(engine)
    made.add("notes", TEXT)
    return made


def stored(library: Library, answer: Answer) -> Record:
    assert answer.id is not None
    return library.engine.answers.get(library.kb, answer.id).record


def test_quotes_are_stored_with_all_that_decided_them(library: Library) -> None:
    answer = answered(library, storing(library), EXTRACTIVE)
    made = stored(library, answer)
    assert (made.question, made.query, made.model) == (ASKED, ASKED.text, EXTRACTIVE)
    assert (made.prompt, made.digest, made.seed) == ((), "", None)
    assert (made.said.text, made.said.citations) == (answer.text, answer.citations)
    [hit], [one] = answer.hits, made.candidates
    assert (one.uri, one.start, one.end, one.score) == ("notes", 0, len(TEXT), hit.score)
    assert made.epoch == library.engine.knowledge_bases.epoch(library.kb)
    configuration = made.configuration
    assert configuration.generation == library.kb.generation.id
    assert configuration.settings == library.kb.settings
    assert configuration.weighing and configuration.weighing.weight == 0.5
    assert (configuration.runtime, configuration.budget) == ("HashingBackend", 0)


def test_what_a_chat_model_was_sent_is_stored(library: Library) -> None:
    chat = Scripted("The warranty lasts 24 months [1].")
    question = Question(ASKED.text, history=(Turn("system", "Be brief."),), options={"seed": 7})
    made = stored(library, answered(library, storing(library, chat), "tiny", question))
    assert [made.prompt] == [tuple(messages) for messages in chat.asked]
    assert (made.model, made.digest, made.seed) == ("tiny", "sha of tiny", 7)
    assert made.configuration.budget > 0


def test_of_several_prompts_the_one_is_stored_that_was_answered(library: Library) -> None:
    chat = Scripted("The warranty lasts 24 months [1].", context=4_096)
    chat.failures = [ModelServerRefused("x", 400, "exceeds the available context size")]
    made = stored(library, answered(library, storing(library, chat), "tiny"))
    assert made.prompt == tuple(chat.asked[-1]) and len(chat.asked) == 2


def test_a_seed_is_chosen_where_none_is_given(library: Library) -> None:
    chat = Scripted("The warranty lasts 24 months [1].")
    made = stored(library, answered(library, storing(library, chat), "tiny"))
    assert made.seed is not None and chat.options == {"seed": made.seed}
    assert seeded(Question("a", options={"seed": 0})).options == {"seed": 0}
    assert seeded(Question("a", options={"seed": -1, "top_k": 3})).options["seed"] >= 0


def test_an_abstention_is_stored_without_a_prompt(library: Library) -> None:
    chat = Scripted("Rome.")
    question = Question("Who painted the Sistine ceiling?")
    made = stored(library, answered(library, storing(library, chat), "tiny", question))
    assert made.said.abstained and made.prompt == () and made.digest == ""


def test_whoever_reads_the_stream_never_sees_the_prompt(library: Library) -> None:
    async def kinds() -> list[type]:
        responding = storing(library, Scripted("The warranty lasts 24 months [1]."))
        return [type(one) async for one in responding.stream(library.kb, ASKED, "tiny", threads)]

    async def told() -> list[type]:
        responding = storing(library, Scripted("The warranty lasts 24 months [1]."))
        return [type(one) async for one in responding.told(library.kb, ASKED, "tiny", threads)]

    assert list(dict.fromkeys(anyio.run(kinds))) == [Basis, Piece, Answer]
    assert list(dict.fromkeys(anyio.run(told))) == [Basis, Prompt, Piece, Answer]
    assert library.engine.answers.count(library.kb) == 1


def test_of_an_answer_that_is_left_nothing_is_stored(library: Library) -> None:
    async def leave() -> None:
        responding = storing(library, Scripted("The warranty lasts. ", "It lasts 24 months [1]."))
        stream = responding.stream(library.kb, ASKED, "tiny", threads)
        assert isinstance(await anext(stream), Basis)
        assert isinstance(await anext(stream), Piece)
        await stream.aclose()

    anyio.run(leave)
    assert library.engine.answers.count(library.kb) == 0


def test_an_answer_that_cannot_be_stored_is_given_and_the_failure_is_logged(
    library: Library,
) -> None:
    full = FullLog(library.engine.database)
    with capture_logs() as logs:
        answer = answered(library, storing(library, log=full), EXTRACTIVE)
    assert answer.citations and answer.id is None
    [entry] = [one for one in logs if one["event"] == "answer_not_stored"]
    assert (entry["log_level"], entry["reason"]) == ("error", "the disk is full")


def test_of_a_document_that_went_meanwhile_nothing_is_stored(library: Library) -> None:
    class Late(AnswerLog):
        def add(self, *args: Any) -> str:
            [document] = library.engine.documents.list(library.kb, 10)
            library.indexer.remove(library.kb, document.id)
            return super().add(*args)

    answer = answered(library, storing(library, log=Late(library.engine.database)), EXTRACTIVE)
    assert answer.citations and answer.id is None
    assert library.engine.answers.count(library.kb) == 0


def test_a_digest_that_is_not_told_is_empty(library: Library) -> None:
    chat = Unnamed("The warranty lasts 24 months [1].")
    made = stored(library, answered(library, storing(library, chat), "tiny"))
    assert made.digest == "" and made.prompt


def test_unasked_nothing_is_stored(library: Library) -> None:
    answer = answered(library, library.engine.responding, EXTRACTIVE)
    assert answer.id is None
    assert library.engine.answers.count(library.kb) == 0
