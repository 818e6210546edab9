"""Makes the records of answers, and stores them.

An answer isn't lost for want of its record: what keeps it from being stored is logged, and the
answer has no id then.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version

import anyio
import structlog

from retrieval import abstention
from retrieval.answer_log import AnswerLog
from retrieval.answering import Basis, Question
from retrieval.conversation import Turn
from retrieval.embedding.registry import Embedders
from retrieval.errors import DocumentNotFound, ModelServerError
from retrieval.ports import ChatModels, Threads
from retrieval.prompting import Prompt
from retrieval.reading import scoring
from retrieval.records import Candidate, Configuration, Record, Said
from retrieval.types import Answer, KnowledgeBase, Piece

_log = structlog.get_logger()

_PATIENCE = 5.0  # seconds for the digest of a model: somebody waits for the end of the answer
_SEEDS = 2**31


@dataclass(slots=True)
class Notes:
    """What is noted of an answer while it is made."""

    basis: Basis | None = None
    prompt: tuple[Turn, ...] = ()
    answer: Answer | None = None

    def take(self, one: Basis | Prompt | Piece | Answer) -> None:
        """Note what came; of several prompts the last was answered."""
        match one:
            case Basis():
                self.basis = one
            case Prompt():
                self.prompt = one.messages
            case Answer():
                self.answer = one


class Recorder:
    """Any thread may call it."""

    def __init__(
        self, log: AnswerLog, embedders: Embedders, chat: ChatModels | None = None
    ) -> None:
        self._log = log
        self._embedders = embedders
        self._chat = chat

    async def record(self, question: Question, notes: Notes) -> Record:
        """The record of an answer, from all that was noted of it."""
        basis, answer = notes.basis, notes.answer
        if basis is None or answer is None:
            raise AssertionError("an answer was noted in part")
        return Record(
            question=question,
            query=answer.query,
            rewritten=basis.rewritten,
            epoch=basis.epoch,
            configuration=self._configuration(basis, answer.usage.budget),
            candidates=tuple(map(Candidate.of, answer.hits)),
            prompt=notes.prompt,
            model=answer.model,
            digest=await self._digest(answer.model) if notes.prompt else "",
            said=Said.of(answer),
        )

    async def stored(
        self, kb: KnowledgeBase, question: Question, notes: Notes, threads: Threads
    ) -> str | None:
        """The id of the answer's record, stored; None where that failed."""
        try:
            record = await self.record(question, notes)
            return await threads(self._log.add, kb, record)
        except DocumentNotFound as gone:
            _log.warning("answer_not_stored", knowledge_base=kb.name, reason=str(gone))
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked has the answer
            _log.error("answer_not_stored", knowledge_base=kb.name, reason=str(error))
        return None

    def _configuration(self, basis: Basis, budget: int) -> Configuration:
        kb = basis.kb
        return Configuration(
            package=version("footnote"),
            generation=kb.generation.id,
            fingerprint=kb.generation.fingerprint,
            runtime=self._embedders.of(kb).runtime,
            settings=replace(kb.settings, description=""),  # which decides nothing
            weighing=basis.weighing,
            least=basis.least,
            reading=_reading(),
            budget=budget,
        )

    async def _digest(self, model: str) -> str:
        if self._chat is None:
            return ""
        try:
            with anyio.fail_after(_PATIENCE):
                return await self._chat.digest(model)
        except (ModelServerError, TimeoutError) as error:
            _log.warning("digest_unknown", model=model, reason=str(error))
            return ""


def seeded(question: Question) -> Question:
    """The question with a seed for the chat model: one that draws its own doesn't tell it."""
    seed = question.options.get("seed")
    if seed is not None and seed >= 0:
        return question
    return replace(question, options={**question.options, "seed": secrets.randbelow(_SEEDS)})


@cache
def _reading() -> str:
    """A fingerprint of the weights that choose quotes and tell how likely they answer."""
    told = [(module.ENGLISH, module.CHINESE) for module in (scoring, abstention)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
