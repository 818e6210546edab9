"""A knowledge base as a model of Ollama's: chat with it, and the answer has footnotes."""

import hashlib
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from api.errors import refused
from api.ollama.footnotes import described, notes, without_notes
from api.requests import MAX_TURNS
from api.routes.dependencies import Blocking
from api.service import Service
from api.wire.models import Card, Completion, Embedded, Part
from api.wire.names import ModelName
from api.wire.refusals import Refusal
from retrieval.answering import Basis, Question
from retrieval.citations import place
from retrieval.conversation import Turn
from retrieval.errors import RetrievalError
from retrieval.ollama.types import Usage
from retrieval.types import Answer, KnowledgeBase, Piece

NAMESPACE = "kb"
_NO_FORMAT = (
    "a knowledge base answers in sentences with footnotes: it can't keep to a format. Ask a chat "
    "model itself, or POST /kb/{}/ask for JSON"
)


class KnowledgeBaseModel:
    """Answers from one knowledge base, by one chat model or with quotes."""

    def __init__(
        self, service: Service, blocking: Blocking, kb: KnowledgeBase, answered_by: str, tag: str
    ) -> None:
        self._service, self._blocking = service, blocking
        self._kb, self._answered_by = kb, answered_by
        self.card = card(service, kb, answered_by, tag)

    async def embed(
        self, _texts: Sequence[str], _limit: int, _truncate: bool, _urgent: bool = False
    ) -> Embedded:
        raise Refusal(501, "This server does not support embeddings. Start it with `--embeddings`")

    async def complete(self, completion: Completion) -> AsyncGenerator[Part]:
        if completion.format:
            raise Refusal(400, _NO_FORMAT.format(self._kb.name))
        began = time.perf_counter_ns()
        written = _Written(self._kb, completion.base_url)
        question = _question(completion)
        try:
            kb = await self._blocking.call(self._service.engine.open, self._kb.name)
            stream = self._service.stream(kb, question, self._answered_by, self._blocking.call)
            async with aclosing(stream) as said:
                async for one in said:
                    if isinstance(one, Basis):
                        if completion.think:
                            yield Part(thinking=trace(one, self._answered_by))
                    elif isinstance(one, Piece):
                        yield written.part(one)
                    else:
                        for part in self._ending(one, written, began):
                            yield part
        except RetrievalError as error:
            raise refused(error) from error

    def _ending(self, answer: Answer, written: "_Written", began: int) -> list[Part]:
        """The notes under the answer, and the last part."""
        text = notes(answer, self._kb, written.base_url)
        reason = "length" if answer.usage.cut else "stop"
        usage = self._usage(answer, written, time.perf_counter_ns() - began)
        last = Part(done_reason=reason, usage=usage, citations=tuple(written.citations))
        return [Part(content=text), last] if text else [last]

    def _usage(self, answer: Answer, written: "_Written", total: int) -> Usage:
        """Tokens: the chat model's own count; without one, those of what was found and said."""
        read, said = answer.usage.prompt_tokens, answer.usage.output_tokens
        if not read:
            read = sum(hit.chunk.tokens for hit in answer.hits) or 1
            [said] = (t.count for t in self._service.engine.embedder.tokenize_raw([written.text]))
        searching = int(answer.timings.get("total", 0.0) * 1e9)
        return Usage(
            prompt_tokens=read,
            output_tokens=said,
            total_ns=total,
            load_ns=1,
            prompt_ns=min(searching, total),
            output_ns=max(1, total - searching),
        )


class _Written:
    """What has been said so far, so that a citation knows its place in the answer."""

    def __init__(self, kb: KnowledgeBase, base_url: str) -> None:
        self._kb, self.base_url = kb, base_url
        self.text = ""
        self.citations: list[Any] = []
        self._began = 0  # where the sentence that is being said begins

    def part(self, piece: Piece) -> Part:
        self.text += piece.text
        end = len(self.text.rstrip())
        start = end - len(self.text[self._began : end].lstrip())
        cited = [
            described(citation, self._kb, self.base_url, start, end) for citation in piece.citations
        ]
        self.citations.extend(cited)
        if piece.ends:
            self._began = len(self.text)
        return Part(content=piece.text, citations=tuple(cited))


def card(service: Service, kb: KnowledgeBase, answered_by: str, tag: str = "latest") -> Card:
    """How a knowledge base describes itself as a model."""
    state = json.dumps([kb.id, kb.generation.id, asdict(kb.settings), answered_by])
    context = service.settings.chat_context
    parameters = f"num_ctx                        {context}"
    return Card(
        name=ModelName(kb.name, tag, NAMESPACE),
        digest=hashlib.sha256(state.encode()).hexdigest(),
        size=0,
        modified_at=datetime.fromtimestamp(kb.created_at, UTC),
        capabilities=("completion", "thinking"),
        format="footnote",
        family="footnote",
        parameter_size="",
        quantization="",
        context_length=context,
        parent=answered_by,
        parameters=parameters,
        template="{{ .Prompt }}",
        system=kb.settings.system_prompt,
        model_info={
            "general.architecture": "footnote",
            "general.basename": kb.name,
            "footnote.context_length": context,
            "footnote.knowledge_base": kb.name,
            "footnote.answered_by": answered_by,
            "footnote.embedding_model": kb.generation.model.name,
        },
    )


def trace(basis: Basis, answered_by: str) -> str:
    """What was looked for and found, for those who want to see how an answer came about."""
    lines = [f"Searched for: {' '.join(basis.query.split())}"]
    for hit in basis.hits:
        page = place(hit.page)
        legs = ", ".join(f"{leg.name} {leg.rank}" for leg in hit.legs)
        lines.append(f"{hit.rank}. {hit.title}{page} (score {hit.score:.2f}; rank: {legs})")
    lines.append(f"Probability that this answers it: {basis.confidence:.2f}.")
    lines.append(f"Answered by: {answered_by}." if basis.answerable else "Not answered.")
    return "\n".join(lines) + "\n"


def _question(completion: Completion) -> Question:
    """The last message is the question, the others are what was said before. Raises Refusal."""
    if not completion.messages or not completion.messages[-1].content.strip():
        raise Refusal(400, "the last message is empty: there is nothing to answer")
    *before, last = completion.messages
    if len(before) > MAX_TURNS:
        raise Refusal(400, f"{len(before):,} earlier messages are more than {MAX_TURNS:,}")
    return Question(
        last.content,
        history=tuple(Turn(one.role, without_notes(one.content)) for one in before),
        options={k: v for k, v in completion.options.items() if k != "num_ctx"},
    )
