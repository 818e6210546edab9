"""What every call begins with: its body read, its model found."""

from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from api.aside import aside
from api.wire import names
from api.wire.models import Model, Models
from api.wire.names import ModelName
from api.wire.refusals import Refusal
from api.wire.residence import Residence
from api.wire.structs import decode

T = TypeVar("T")

_REQUIRED = "model is required"


@dataclass(frozen=True, slots=True)
class Server:
    """What the calls of both protocols work on."""

    models: Models
    residence: Residence


async def read(struct: type[T], request: Request) -> T:
    """The body of a call of Ollama's own API. Raises Refusal."""
    try:
        return await aside(lambda body: decode(struct, body), await request.body())
    except Refusal as refusal:
        if refusal.text == "EOF":
            raise Refusal(400, "missing request body") from None
        raise


async def find(server: Server, text: str, *, empty: str = _REQUIRED, unknown: str) -> Model:
    """The model that a text names. `unknown` is what is said where there is none.

    Raises Refusal: 400 where there is no name or it can't be one (404 if `empty` isn't the usual
    text), 403 for a cloud's model, 404.
    """
    if not text:
        raise Refusal(400 if empty == _REQUIRED else 404, empty)
    found = await server.models.find(name(text))
    if found is not None:
        return found
    if text.lower().endswith((":cloud", "-cloud")):
        raise Refusal(403, "ollama cloud is disabled: remote model is unavailable")
    raise Refusal(404, unknown)


def name(text: str, wrong: str = "invalid model name") -> ModelName:
    """The name that a text is. Raises Refusal, 400, saying `wrong`."""
    if text.lower().endswith((":cloud:local", ":local:cloud")):
        raise Refusal(400, f'use either :local or :cloud, not both: "{text}"')
    parsed = names.parse(text)
    if parsed is None:
        raise Refusal(400, wrong)
    return parsed
