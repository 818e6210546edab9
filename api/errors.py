"""From kinds of error to HTTP: one table, RFC 9457 problem details."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api import request_ids
from api.wire.refusals import Refusal
from ingest import errors as ingest
from retrieval import errors as retrieval

_log = structlog.get_logger()

PROBLEM = "application/problem+json"

# The first kind that fits decides.
STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (retrieval.NotFound, HTTPStatus.NOT_FOUND),
    (retrieval.Unauthorized, HTTPStatus.UNAUTHORIZED),
    (retrieval.NotPermitted, HTTPStatus.FORBIDDEN),
    (retrieval.InvalidRequest, HTTPStatus.UNPROCESSABLE_ENTITY),
    (retrieval.TextTooLong, HTTPStatus.UNPROCESSABLE_ENTITY),
    (retrieval.KnowledgeBaseExists, HTTPStatus.PRECONDITION_FAILED),
    (retrieval.ModelMismatch, HTTPStatus.CONFLICT),
    (retrieval.Superseded, HTTPStatus.CONFLICT),
    (retrieval.Overloaded, HTTPStatus.TOO_MANY_REQUESTS),
    (retrieval.ModelServerUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (retrieval.ModelServerError, HTTPStatus.BAD_GATEWAY),
    (retrieval.RetrievalError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ingest.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ingest.SourceNotFound, HTTPStatus.NOT_FOUND),
    (ingest.IngestError, HTTPStatus.UNPROCESSABLE_ENTITY),
)

CHALLENGE = {"WWW-Authenticate": "Bearer"}

_RETRY_AFTER = {HTTPStatus.SERVICE_UNAVAILABLE: 5}  # seconds


def problem(
    status: int, kind: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document; `kind` names the error for programs, `detail` tells people."""
    body = {**_members(status, kind, detail), **more}
    return JSONResponse(body, status, headers, media_type=PROBLEM)


def _members(status: int, kind: str, detail: str) -> dict[str, Any]:
    members = {"type": "about:blank", "title": kind, "status": status, "detail": detail}
    request_id = request_ids.current()
    return {**members, "request_id": request_id} if request_id else members


def status_of(error: Exception) -> HTTPStatus:
    """The status that a kind of error is answered with."""
    return next(
        (status for kind, status in STATUS if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem document."""
    app.add_exception_handler(retrieval.RetrievalError, _known)
    app.add_exception_handler(ingest.IngestError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


_TOLD = 20  # of the places where a request doesn't fit


def described(error: Exception) -> dict[str, Any]:
    """A problem document as it stands in a stream, whose status is gone already."""
    return _members(status_of(error), type(error).__name__, str(error))


def answered(error: Exception) -> JSONResponse:
    """The problem document that an error of a known kind is answered with."""
    status, retry = status_of(error), _retry_after(error)
    headers = {"Retry-After": str(retry)} if retry else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers |= CHALLENGE
    return problem(status, type(error).__name__, str(error), headers)


def refused(error: Exception) -> Refusal:
    """The same in Ollama's protocol, which has no status for what doesn't fit."""
    status = status_of(error)
    unfit = status is HTTPStatus.UNPROCESSABLE_ENTITY
    known = HTTPStatus.BAD_REQUEST if unfit else status
    return Refusal(known, str(error), retry_after=_retry_after(error))


def _retry_after(error: Exception) -> int:
    """Seconds after which asking again may help; 0 where that isn't known."""
    found: int = getattr(error, "retry_after", 0)
    return found or _RETRY_AFTER.get(status_of(error), 0)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    return answered(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this kind
    return invalid(error.errors())


def invalid(errors: Sequence[Any]) -> JSONResponse:
    """The problem of a body or parameter that doesn't fit: where, and what was expected, as far as
    anyone would read.
    """
    found = [
        {"at": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in errors[:_TOLD]
    ]
    detail = "; ".join(f"{one['at']}: {one['message']}" for one in found[:5])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", detail, errors=found)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this kind
    headers = dict(error.headers) if error.headers else None
    # Two ways to one limit have one name, and not one that changes with Python's version.
    phrase = HTTPStatus(error.status_code).phrase.replace(" ", "")
    kind = "TooLarge" if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else phrase
    return problem(error.status_code, kind, str(error.detail), headers)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected_error", path=request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "InternalError",
        "Something went wrong here that isn't your fault. The server's log has the details, under "
        "this request's id.",
    )
