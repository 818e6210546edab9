"""What a call needs: one table for the routes of all interfaces.

A call that isn't in it needs everything, so that one that is forgotten here is closed, not open.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.routing import compile_path

from retrieval.access import Principal, Scope
from retrieval.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Need:
    """What a key must be for: one of these scopes, if there are any; `everything`: all knowledge
    bases. `asks`: it matters who calls. `changes`: the audit log tells of it.
    """

    scopes: tuple[Scope, ...] = ()
    everything: bool = False
    asks: bool = True
    changes: bool = False


NOTHING = Need(asks=False)
ANYONE = Need()
SIGNING_IN = Need(changes=True)
READ = Need((Scope.READ,))
READ_ALL = Need((Scope.READ,), everything=True)
FOLLOW = Need((Scope.READ, Scope.WRITE))  # who may only write, wants to know what became of it
WRITE = Need((Scope.WRITE,), changes=True)
ADMIN = Need((Scope.ADMIN,), changes=True)
ADMIN_ALL = Need((Scope.ADMIN,), everything=True, changes=True)

_DOCUMENT = "/kb/{kb}/documents/{document_id}"
_ANSWER = "/kb/{kb}/answers/{answer_id}"

NEEDS: Mapping[str, Mapping[str, Need]] = {
    "/": {"GET": NOTHING},
    "/web/{name}": {"GET": NOTHING},
    "/health": {"GET": NOTHING},
    "/ready": {"GET": ANYONE},
    "/session": {"GET": ANYONE, "POST": SIGNING_IN, "DELETE": ANYONE},
    "/info": {"GET": FOLLOW},
    "/metrics": {"GET": READ_ALL},
    "/openapi.json": {"GET": FOLLOW},
    "/kb": {"GET": READ},
    "/kb/{kb}": {"GET": READ, "PUT": ADMIN, "DELETE": ADMIN},
    "/kb/{kb}/search": {"POST": READ},
    "/kb/{kb}/ask": {"POST": READ},
    "/kb/{kb}/samples": {"POST": WRITE},
    "/kb/{kb}/documents": {"GET": READ, "POST": WRITE},
    _DOCUMENT: {"GET": READ, "PUT": WRITE, "DELETE": WRITE},
    f"{_DOCUMENT}/versions": {"GET": READ},
    f"{_DOCUMENT}/text": {"GET": READ},
    f"{_DOCUMENT}/original": {"GET": READ},
    f"{_DOCUMENT}/pages": {"GET": READ},
    f"{_DOCUMENT}/pages/{{number}}.png": {"GET": READ},
    f"{_DOCUMENT}/boxes": {"GET": READ},
    "/kb/{kb}/answers": {"GET": READ},
    _ANSWER: {"GET": READ, "DELETE": WRITE},
    f"{_ANSWER}/replay": {"POST": READ},
    "/kb/{kb}/feedback": {"GET": READ, "POST": WRITE},
    "/kb/{kb}/feedback/{feedback_id}": {"DELETE": WRITE},
    "/kb/{kb}/evaluation": {"GET": READ, "POST": ADMIN},
    "/kb/{kb}/evaluation/report": {"GET": READ},
    "/kb/{kb}/reindex": {"GET": READ, "POST": ADMIN, "DELETE": ADMIN},
    "/kb/{kb}/reindex/rollback": {"POST": ADMIN},
    "/jobs": {"GET": FOLLOW},
    "/jobs/events": {"GET": FOLLOW},
    "/jobs/{job_id}": {"GET": FOLLOW, "DELETE": WRITE},
    "/jobs/{job_id}/events": {"GET": FOLLOW},
    "/api/version": {"GET": ANYONE},
    "/api/tags": {"GET": READ},
    "/api/ps": {"GET": READ},
    "/api/show": {"POST": READ},
    "/api/embed": {"POST": READ},
    "/api/embeddings": {"POST": READ},
    "/api/chat": {"POST": READ},
    "/api/generate": {"POST": READ},
    "/api/create": {"POST": ADMIN_ALL},
    "/api/copy": {"POST": ADMIN_ALL},
    "/api/delete": {"DELETE": ADMIN_ALL},
    "/api/pull": {"POST": ADMIN_ALL},
    "/api/push": {"POST": ADMIN_ALL},
    "/api/blobs/{digest}": {"GET": ADMIN_ALL, "POST": ADMIN_ALL},
    "/v1/models": {"GET": READ},
    "/v1/models/{id:path}": {"GET": READ},
    "/v1/embeddings": {"POST": READ},
    "/v1/chat/completions": {"POST": READ},
    "/v1/completions": {"POST": READ},
    "/v1/responses": {"POST": READ},
    "/v1/messages": {"POST": READ},
}


@dataclass(frozen=True, slots=True)
class Call:
    """What is called: the path of a route, empty where there is none, and its parameters."""

    route: str
    need: Need
    parameters: Mapping[str, str]


def call(method: str, path: str) -> Call:
    """The call of a request, a slash at the end of its path or not."""
    path = path.rstrip("/") or "/"
    for pattern, route, needs in _PATTERNS:
        found = pattern.match(path)
        need = needs.get("GET" if method == "HEAD" else method)
        if found and need:
            return Call(route, need, found.groupdict())
    return Call("", ADMIN_ALL, {})


def check(principal: Principal, need: Need) -> None:
    """Raises NotPermitted where somebody's key isn't for what a call needs."""
    if need.scopes and principal.scopes.isdisjoint(need.scopes):
        wanted = " or ".join(f"'{scope}'" for scope in need.scopes)
        raise NotPermitted(f"This key lacks the scope {wanted}, which the call needs.")
    if need.everything and not principal.sees_all:
        raise NotPermitted("The call needs a key for all knowledge bases; this one is for some.")


_PATTERNS: list[tuple[re.Pattern[str], str, Mapping[str, Need]]] = [
    (compile_path(route)[0], route, needs) for route, needs in NEEDS.items()
]
