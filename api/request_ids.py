"""The id of a request: in its reply, in its problem documents, in every line that it logs."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.types import Scope
from structlog.contextvars import bound_contextvars, get_contextvars

HEADER = "X-Request-ID"

_KEY = "request_id"
# What stands in logs and headers as it is: no spaces, no controls, nothing that is read as markup.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=@-]{0,127}")


def of(scope: Scope) -> str:
    """The id that the client gave, where it can stand in a log; else a new one."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex


@contextmanager
def known(request_id: str) -> Iterator[None]:
    """What the block logs carries this id, also in the threads that it calls."""
    with bound_contextvars(**{_KEY: request_id}):
        yield


def current() -> str | None:
    """The id of the request that is being answered, if one is."""
    found: str | None = get_contextvars().get(_KEY)
    return found
