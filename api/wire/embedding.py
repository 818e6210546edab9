"""`/api/embed`, `/api/embeddings` and `/v1/embeddings`."""

import base64
import re
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.aside import aside
from api.wire import names, options
from api.wire.asking import Server, find, read
from api.wire.disconnection import until_gone
from api.wire.framing import reply, without_empty, wrapped
from api.wire.models import Embedded, Model
from api.wire.native import EmbeddingRequest, EmbedRequest
from api.wire.refusals import Refusal
from api.wire.structs import anything, decode, field, integer, string
from retrieval.embedding.unit import to_unit
from retrieval.types import Vectors

_URGENCY = re.compile(r"(?:^|,)[ \t]*u=([0-7])(?=[ \t]*(?:[,;]|$))")
_USUAL = 3
_UNSUPPORTED = "This server does not support embeddings. Start it with `--embeddings`"


@dataclass(frozen=True, slots=True)
class OpenAIEmbedRequest:
    input: Any = field(anything)
    model: str = field(string, "")
    dimensions: int = field(integer, 0)
    encoding_format: str = field(string, "")


async def embed(server: Server, request: Request) -> Response:
    began = time.perf_counter_ns()
    asked = await read(EmbedRequest, request)
    texts = _texts(asked.input)
    model = await _found(server, asked.model, empty="model '' not found")
    given = options.checked(asked.options)
    loaded = time.perf_counter_ns()
    server.residence.use(model.card, asked.keep_alive)
    if not texts:
        return reply({"model": asked.model, "embeddings": []})
    urgent = _is_urgent(request.headers.get("priority", ""))
    work = _embed(model, texts, given, asked.truncate, urgent)
    embedded = await until_gone(request, work)
    answer = reply(
        {
            "model": asked.model,
            "embeddings": _cut(embedded.vectors, asked.dimensions),
            "total_duration": time.perf_counter_ns() - began,
            "load_duration": loaded - began,
            **without_empty({"prompt_eval_count": embedded.tokens}),
        }
    )
    return _timed(answer, embedded, began)


async def embeddings(server: Server, request: Request) -> Response:
    """The older call: one text, never cut, and 500 where it is too long."""
    began = time.perf_counter_ns()
    asked = await read(EmbeddingRequest, request)
    model = await _found(server, asked.model)
    given = options.checked(asked.options)
    server.residence.use(model.card, asked.keep_alive)
    if not asked.prompt:
        return reply({"embedding": []})
    try:
        embedded = await until_gone(request, _embed(model, [asked.prompt], given, False))
    except Refusal as refusal:
        raise Refusal(500 if refusal.status == 400 else refusal.status, refusal.text) from None
    return _timed(reply({"embedding": embedded.vectors[0]}), embedded, began)


async def openai_embeddings(server: Server, request: Request) -> Response:
    began = time.perf_counter_ns()
    try:
        asked = await aside(_openai_request, await request.body())
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.text, early=True) from None
    texts = [""] if asked.input == "" else await _openai_texts(server, asked)
    model = await _found(server, asked.model, empty="model '' not found")
    server.residence.use(model.card, None)
    embedded = await until_gone(request, _embed(model, texts, {}, True))
    vectors = _cut(embedded.vectors, asked.dimensions)
    as_text = asked.encoding_format == "base64"
    data = [
        {"object": "embedding", "embedding": _base64(v) if as_text else v, "index": index}
        for index, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    answer = wrapped({"object": "list", "data": data, "model": asked.model, "usage": usage})
    return _timed(answer, embedded, began)


def _openai_request(body: bytes) -> OpenAIEmbedRequest:
    asked = decode(OpenAIEmbedRequest, body, "openai")
    if asked.input is None or asked.input == []:
        raise Refusal(400, "invalid input")
    if asked.encoding_format not in ("", "float", "base64"):
        raise Refusal(
            400,
            f"Invalid value for 'encoding_format' = {asked.encoding_format}. "
            f"Supported values: ['float', 'base64'].",
        )
    return asked


async def _openai_texts(server: Server, asked: OpenAIEmbedRequest) -> list[str]:
    """The texts. Raises Refusal, which for a model of ours says why tokens aren't taken."""
    try:
        return _texts(asked.input)
    except Refusal as refusal:
        name = names.parse(asked.model)
        if not _tokens(asked.input) or name is None or await server.models.find(name) is None:
            raise
        raise Refusal(
            400,
            f"{refusal.text}: these are tokens of another vocabulary than this model's. Send texts "
            f"(LangChain: check_embedding_ctx_length=False)",
        ) from None


def _tokens(value: Any) -> bool:
    """Whether an input is a list of token ids, or of such lists."""
    return isinstance(value, list) and all(
        isinstance(token, int)
        for one in value
        for token in (one if isinstance(one, list) else [one])
    )


async def _found(server: Server, text: str, **empty: str) -> Model:
    return await find(
        server, text, unknown=f'model "{text}" not found, try pulling it first', **empty
    )


async def _embed(
    model: Model, texts: list[str], given: dict[str, Any], truncate: bool, urgent: bool = False
) -> Embedded:
    card = model.card
    if "embedding" not in card.capabilities:
        raise Refusal(501, _UNSUPPORTED)
    limit = min(int(given.get("num_ctx") or card.context_length), card.context_length)
    return await model.embed(texts, max(1, limit), truncate, urgent)


def _is_urgent(priority: str) -> bool:
    """Whether a request is to come before others, by RFC 9218, where 3 is what is usual."""
    found = _URGENCY.search(priority)
    return found is not None and int(found[1]) < _USUAL


def _timed(answer: Response, embedded: Embedded, began: int) -> Response:
    """The reply, with headers that say what took how long, in milliseconds, and how many tokens
    were read: those of text-embeddings-inference.
    """
    if times := embedded.times:
        took = {
            "x-total-time": (time.perf_counter_ns() - began) / 1e6,
            "x-tokenization-time": 1e3 * times.tokenising,
            "x-queue-time": 1e3 * times.queued,
            "x-inference-time": 1e3 * times.inferring,
        }
        answer.headers.update({name: f"{value:.3f}" for name, value in took.items()})
        answer.headers["x-compute-tokens"] = str(embedded.tokens)
    return answer


def _texts(value: Any) -> list[str]:
    """The texts of an input: one or several; none where it is empty. Raises Refusal."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise Refusal(400, "invalid input type")


def _cut(vectors: Vectors, dimensions: int) -> Vectors:
    """The first `dimensions` numbers of each vector, of unit length again; or all of them."""
    if not 0 < dimensions < vectors.shape[1]:
        return vectors
    return to_unit(vectors[:, :dimensions])


def _base64(vector: Vectors) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
