"""All calls of the three protocols, at their paths."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.errors import refused
from api.wire import (
    anthropic,
    catalogue,
    chatting,
    embedding,
    openai_chat,
    openai_responses,
)
from api.wire.asking import Server
from api.wire.framing import anthropic_error, native_error, openai_error, reply
from api.wire.refusals import Refusal
from api.wire.router import Handler, Route, Router
from retrieval.errors import RetrievalError

VERSION = "0.33.0"
"""The version of Ollama whose behaviour this is."""

_UNEXPECTED = "something went wrong here that isn't your fault; the server's log has the details"

_log = structlog.get_logger()

_PREFIXES = ("/api/", "/v1/")

Call = Callable[[Server, Request], Awaitable[Response]]


async def _version(_server: Server, _request: Request) -> Response:
    return reply({"version": VERSION})


CALLS: Mapping[str, Mapping[str, Call]] = {
    "/api/version": {"GET": _version, "HEAD": _version},
    "/api/tags": {"GET": catalogue.tags, "HEAD": catalogue.tags},
    "/api/ps": {"GET": catalogue.ps},
    "/api/show": {"POST": catalogue.show},
    "/api/embed": {"POST": embedding.embed},
    "/api/embeddings": {"POST": embedding.embeddings},
    "/api/chat": {"POST": chatting.chat},
    "/api/generate": {"POST": chatting.generate},
    "/api/create": {"POST": catalogue.create},
    "/api/copy": {"POST": catalogue.copy},
    "/api/delete": {"DELETE": catalogue.delete},
    "/api/pull": {"POST": catalogue.pull},
    "/api/push": {"POST": catalogue.push},
    "/api/blobs/{digest}": {"HEAD": catalogue.head_blob, "POST": catalogue.add_blob},
    "/v1/models": {"GET": catalogue.openai_models},
    "/v1/models/{id*}": {"GET": catalogue.openai_model},
    "/v1/embeddings": {"POST": embedding.openai_embeddings},
    "/v1/chat/completions": {"POST": openai_chat.chat_completions},
    "/v1/completions": {"POST": openai_chat.completions},
    "/v1/responses": {"POST": openai_responses.responses},
    "/v1/messages": {"POST": anthropic.messages},
}


def router(server: Server, *more: Route) -> Router:
    """The calls on a server's models, and others."""

    def at(path: str, calls: Mapping[str, Call]) -> Route:
        error = error_of(path)
        return Route(path, {m: _answered(partial(c, server), error) for m, c in calls.items()})

    return Router([*(at(path, calls) for path, calls in CALLS.items()), *more])


def is_spoken(path: str) -> bool:
    """Whether it is a path of Ollama's or OpenAI's interface, its slashes doubled or not."""
    return path.replace("//", "/").startswith(_PREFIXES)


def error_of(path: str) -> Callable[[Refusal], Response]:
    """How the protocol that a path belongs to writes errors."""
    written = native_error
    if path.startswith("/v1/"):
        written = anthropic_error if path == "/v1/messages" else openai_error

    def answer(refusal: Refusal) -> Response:
        response = written(refusal)
        if refusal.retry_after:
            response.headers["retry-after"] = str(refusal.retry_after)
        return response

    return answer


def _answered(call: Handler, error: Callable[[Refusal], Response]) -> Handler:
    """The call, with what it refuses written as its protocol writes errors."""

    async def handler(request: Request) -> Response:
        try:
            return await call(request)
        except Refusal as refusal:
            return error(refusal)
        except RetrievalError as failed:
            return error(refused(failed))
        except HTTPException as limit:  # a body beyond the limit
            return error(Refusal(limit.status_code, limit.detail))
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to see it
        except Exception:  # noqa: BLE001 - told in the protocol's way, and logged
            _log.exception("unexpected_error", path=request.url.path)
            return error(Refusal(500, _UNEXPECTED))

    return handler
