"""Who answers: the extractive answerer, or a chat model. Whatever asks, asks here."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

from retrieval.answering import Answering, Basis, Question
from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.errors import InvalidRequest, RetrievalError
from retrieval.generating import Generating
from retrieval.observing import Observer, Unobserved
from retrieval.ports import ChatModels, Threads
from retrieval.prompting import Prompt
from retrieval.recording import Notes, Recorder, seeded
from retrieval.types import Answer, KnowledgeBase, Piece

EXTRACTIVE = ExtractiveAnswerer.name

_STAGES = ("rewrite", "draft", "quote", "first_token", "generate", "verify")


class Responding:
    """Answers questions as they are asked, piece by piece."""

    def __init__(
        self,
        answering: Answering,
        default: str = "",
        generating: Generating | None = None,
        chat: ChatModels | None = None,
        recorder: Recorder | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`default` is the chat model where a knowledge base names none. With a recorder every
        answer is stored.
        """
        self._answering = answering
        self._default = default
        self._generating = generating
        self._chat = chat
        self._recorder = recorder
        self._observer = observer or Unobserved()

    def default_model(self, kb: KnowledgeBase) -> str:
        """The model that answers where none is asked for."""
        return kb.settings.chat_model or self._default or EXTRACTIVE

    async def model(self, kb: KnowledgeBase, wanted: str = "") -> str:
        """The model that a name stands for: as it is, or with its `/` and `:` written as `-`.

        Raises InvalidRequest where there is none, ModelServerError.
        """
        if not wanted or wanted == "latest":
            return self.default_model(kb)
        if wanted.lower() == EXTRACTIVE:  # also while the server is away
            return EXTRACTIVE
        names: list[str] = [EXTRACTIVE, *(await self._chat.names() if self._chat else ())]
        for name in names:
            if wanted.lower() in (name.lower(), dashed(name), dashed(name.removesuffix(":latest"))):
                return name
        raise InvalidRequest(f"There is no chat model {wanted!r}; there are {', '.join(names)}.")

    async def answer(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads
    ) -> Answer:
        """The whole answer. Raises RetrievalError."""
        return await whole(self.stream(kb, question, model, threads))

    async def stream(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads
    ) -> AsyncGenerator[Basis | Piece | Answer]:
        """What was found, the pieces of the answer, and last the whole of it.

        Where answers are stored it has its id by then. Of one whose reader leaves before the end
        nothing is stored. Raises RetrievalError.
        """
        recorder, notes = self._recorder, Notes()
        if recorder and model != EXTRACTIVE:
            question = seeded(question)
        try:
            async with aclosing(self.told(kb, question, model, threads)) as said:
                async for one in said:
                    notes.take(one)
                    if isinstance(one, Answer):
                        self._observe(one)
                    if isinstance(one, Answer) and recorder:
                        yield replace(one, id=await recorder.stored(kb, question, notes, threads))
                    elif not isinstance(one, Prompt):
                        yield one
        except RetrievalError:
            self._observer.unanswered()
            raise

    def _observe(self, answer: Answer) -> None:
        """Tell how long each stage took; those of the search were told by it."""
        for stage in _STAGES:
            if seconds := answer.timings.get(stage):
                self._observer.took("answer", stage, seconds)
        self._observer.answered(answer)

    async def told(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads, query: str = ""
    ) -> AsyncGenerator[Basis | Prompt | Piece | Answer]:
        """The same with the prompt that a chat model was sent, and nothing is stored.

        `query` is what to search for, where that is known.
        """
        if model == EXTRACTIVE:
            basis = await threads(self._answering.basis, kb, question, query)
            yield basis
            answer = await threads(self._answering.quoted, kb, question, basis)
            for piece in pieces(answer):
                yield piece
            yield answer
            return
        if self._generating is None:
            raise InvalidRequest(
                f"The chat model {model!r} needs an Ollama server: set OLLAMA_HOST, or choose "
                f"{EXTRACTIVE!r}."
            )
        async with aclosing(self._generating.stream(kb, question, model, threads, query)) as said:
            async for one in said:
                yield one


async def whole(said: AsyncGenerator[Basis | Piece | Answer]) -> Answer:
    """The answer that a stream ends with."""
    async with aclosing(said):
        async for one in said:
            if isinstance(one, Answer):
                return one
    raise AssertionError("a stream ended without its answer")


def pieces(answer: Answer) -> Iterator[Piece]:
    """The lines of an answer of quotes, each with the citation that its marker stands for."""
    for number, line in enumerate(answer.text.splitlines(keepends=True)):
        yield Piece(line, answer.citations[number : number + 1])


def dashed(name: str) -> str:
    """A model's name as it can stand in the tag of another's."""
    return name.lower().replace("/", "-").replace(":", "-")
