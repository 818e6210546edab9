"""An answer as a chat model writes it: its words, their footnotes, and at last the whole."""

import time
from collections.abc import AsyncGenerator

from retrieval.answering import Basis
from retrieval.footnoting import Footnoting
from retrieval.marks import Claims, Words
from retrieval.ollama.types import ChatPart
from retrieval.ollama.types import Usage as Spent
from retrieval.ports import Threads
from retrieval.prompting import Prompt
from retrieval.types import Answer, Piece, Usage


class Writing:
    """What a model has said so far of one answer, and what was found out about it."""

    def __init__(self, notes: Footnoting, threads: Threads) -> None:
        self._notes, self._threads = notes, threads
        self._began = time.perf_counter()
        self._first_token = self._verify = 0.0  # seconds
        self._claims, self._text = Claims(), ""
        self._spent, self._reason = Spent(), ""

    async def pieces(self, part: ChatPart) -> AsyncGenerator[Piece]:
        """What can be told now: words as they are, marks once their sentence is checked."""
        self._spent, self._reason = part.usage or self._spent, part.done_reason
        if part.content and not self._first_token:
            self._first_token = time.perf_counter() - self._began
        come = self._claims.add(part.content)
        for one in [*come, *(self._claims.end() if part.done else ())]:
            if isinstance(one, Words):
                piece = Piece(one.text, ends=False)
            else:
                whole = time.perf_counter()
                piece = await self._threads(self._notes.piece, one)
                self._verify += time.perf_counter() - whole
            self._text += piece.text
            yield piece

    def answer(self, basis: Basis, model: str, prompt: Prompt, budget: int) -> Answer:
        """All of it; `budget` is how many tokens the prompt could have had."""
        notes = self._notes
        usage = Usage(
            considered=len(basis.hits),
            used=len(notes.citations),
            budget=budget,
            merged=prompt.merged,
            dropped=prompt.dropped,
            turns_dropped=prompt.turns_dropped,
            unverified=notes.unverified,
            unsupported=notes.unsupported,
            prompt_tokens=self._spent.prompt_tokens or 0,
            output_tokens=self._spent.output_tokens or 0,
            cut=self._reason == "length",
            rewritten=basis.rewritten,
        )
        return basis.answer(
            self._text,
            notes.citations,
            model,
            usage,
            spent={"generate": time.perf_counter() - self._began},
            within={"first_token": self._first_token, "verify": self._verify},
            statements=notes.statements,
        )
