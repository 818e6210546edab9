"""Answers by a chat model, whose every mark is checked before anybody sees it."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from retrieval.answering import Answering, Basis, Question
from retrieval.documents import Documents
from retrieval.errors import ModelServerRefused
from retrieval.footnoting import Footnoting
from retrieval.ports import ChatModels, Threads
from retrieval.prompting import Prompt, compose
from retrieval.rewriting import rewritten
from retrieval.types import Answer, KnowledgeBase, Piece
from retrieval.verifying.verifier import Verifier
from retrieval.writing import Writing

_ANSWER_TOKENS = 1_024  # of the model's context, kept free for the answer
# A prompt that the server finds too long is made smaller. The estimate of its length is ours, the
# server's count is the model's own.
_ATTEMPTS = 4
_SMALLER = 0.6


class Generating:
    """Asks a chat model, and gives its sentences with footnotes that hold."""

    def __init__(
        self, answering: Answering, documents: Documents, verifier: Verifier, chat: ChatModels
    ) -> None:
        self._answering = answering
        self._documents = documents
        self._verifier = verifier
        self._chat = chat

    async def stream(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads, query: str = ""
    ) -> AsyncGenerator[Basis | Prompt | Piece | Answer]:
        """What was found, the prompt, the words as they come, the footnotes of a sentence once it
        is checked, and last the whole answer.

        `query` is what the question means without the conversation; the model is asked where that
        isn't known. There is another prompt where one was too long. Raises RetrievalError.
        """
        basis = await self._basis(kb, question, model, threads, query)
        yield basis
        if not basis.answerable:
            nothing = await threads(self._answering.abstained, kb, question, basis, model)
            yield Piece(nothing.text)
            yield nothing
            return
        window = await self._chat.window(model)
        budget = max(window - _ANSWER_TOKENS, window // 2)
        for attempt in range(1, _ATTEMPTS + 1):
            system = _system(kb, question)
            prompt = await threads(
                compose, question.text, basis.hits, question.history, system, budget
            )
            yield prompt
            notes = Footnoting(kb, prompt.passages, self._documents, self._verifier)
            said = self._written(question, model, basis, prompt, budget, notes, threads)
            began = False
            try:
                async with aclosing(said):
                    async for one in said:
                        began = True
                        yield one
            except ModelServerRefused as error:
                too_long = "context" in error.reason and not began
                if not too_long or attempt == _ATTEMPTS:
                    raise
            else:
                return
            budget = int(prompt.tokens * _SMALLER)

    async def _basis(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads, query: str
    ) -> Basis:
        """What an answer rests on, by what the model says that the question means."""
        if query or not any(turn.role == "user" for turn in question.history):
            return await threads(self._answering.basis, kb, question, query)
        began = time.perf_counter()
        query = await rewritten(
            self._chat, model, question.text, question.history, question.options
        )
        took = time.perf_counter() - began
        basis = await threads(self._answering.basis, kb, question, query)
        spent = {"rewrite": took, "total": basis.timings["total"] + took}
        return replace(basis, timings={**basis.timings, **spent})

    async def _written(
        self,
        question: Question,
        model: str,
        basis: Basis,
        prompt: Prompt,
        budget: int,
        notes: Footnoting,
        threads: Threads,
    ) -> AsyncGenerator[Piece | Answer]:
        writing = Writing(notes, threads)
        stream = self._chat.stream(model, prompt.messages, question.options, prompt.tokens)
        async with aclosing(stream) as parts:
            async for part in parts:
                async with aclosing(writing.pieces(part)) as pieces:
                    async for piece in pieces:
                        yield piece
        yield writing.answer(basis, model, prompt, budget)


def _system(kb: KnowledgeBase, question: Question) -> str:
    """What the owner of the knowledge base asks for, then the client."""
    asked = [turn.content for turn in question.history if turn.role == "system"]
    return "\n\n".join(filter(None, [kb.settings.system_prompt, *asked]))
