"""How a call of the compatible protocols begins: read, translated, given to its model."""

from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from starlette.requests import Request

from api.aside import aside
from api.wire.asking import Server, find
from api.wire.chatting import check, check_capable
from api.wire.models import Completion, Part
from api.wire.refusals import Refusal
from api.wire.structs import decode


class Translatable(Protocol):
    """A request of a compatible protocol."""

    @property
    def model(self) -> str: ...

    def completion(self, base_url: str) -> Completion:
        """What is asked for. Raises Refusal."""


T = TypeVar("T", bound=Translatable)


async def begin(
    server: Server, request: Request, struct: type[T], package: str, *, legacy: bool = False
) -> tuple[T, AsyncGenerator[Part]]:
    """What is asked, and the parts of the answer to come. Raises Refusal.

    `legacy` is a call to complete a text, which words its errors otherwise.
    """

    def translated(body: bytes) -> tuple[T, Completion]:
        asked = decode(struct, body, package)
        return asked, asked.completion(str(request.base_url))

    try:
        asked, completion = await aside(translated, await request.body())
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.text, early=True) from None
    unknown = f"model '{asked.model}' not found"
    empty = {"empty": "model '' not found"} if legacy else {}
    model = await find(server, asked.model, unknown=unknown, **empty)
    check_capable(model.card, asked.model, "generate" if legacy else "chat")
    check(model.card, asked.model, completion)
    server.residence.use(model.card, None)
    return asked, model.complete(completion)
