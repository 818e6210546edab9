"""`/api` and `/v1`: what is this server's own is answered here, all else is passed on."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.aside import aside
from api.ollama.hosting import HostedModels
from api.ollama.passing import VIA, Upstream
from api.wire import go_json, names
from api.wire.asking import Server
from api.wire.framing import reply, wrapped
from api.wire.protocol import error_of, router
from api.wire.refusals import Refusal
from api.wire.router import Router

_MERGED = frozenset({"/api/tags", "/api/ps", "/v1/models"})
_OWN = _MERGED | {"/api/version"}
_NAMED = ("model", "name", "source")


@dataclass(frozen=True, slots=True)
class Gateway:
    """The router of this server's models, with an Ollama server behind it if there is one."""

    own: Router
    models: HostedModels
    upstream: Upstream | None

    def allowed(self, path: str) -> str:
        return self.own.allowed(path)

    async def handle(self, request: Request) -> Response:
        """The reply, ours or the upstream's."""
        if self.upstream is None:
            return await self.own.handle(request)
        path = request.scope["path"]
        error = error_of(path)
        try:
            if path in _MERGED and request.method == "GET":
                return await self._merged(request, self.upstream)
            if path.startswith("/api/blobs/"):
                return await self.upstream.pass_on(request, None)
            body = await request.body()
            if path in _OWN or await self._is_own(path, body):
                return await self.own.handle(request)
            return await self.upstream.pass_on(request, body)
        except Refusal as refusal:
            return error(refusal)
        except HTTPException as limit:  # a body beyond the limit
            return error(Refusal(limit.status_code, limit.detail))
        except ClientDisconnect:
            return Response(status_code=499)

    async def _is_own(self, path: str, body: bytes) -> bool:
        """Whether a request names a model of this server. What can't be read is the upstream's."""
        if path.startswith("/v1/models/"):
            texts = [path.removeprefix("/v1/models/")]
        else:
            texts = await aside(named, body)
        parsed = [names.parse(text) for text in texts]
        return any(name is not None and self.models.owned(name) for name in parsed)

    async def _merged(self, request: Request, upstream: Upstream) -> Response:
        """Our models, then those of the upstream that aren't called the same."""
        own = json.loads(bytes((await self.own.handle(request)).body))
        path, via = request.scope["path"], request.headers.get(VIA, "")
        key, at = ("data", "/api/tags") if path == "/v1/models" else ("models", path)
        taken = {one.get("id") or one["name"] for one in own[key] or ()}
        listed = await upstream.listed(at, via)
        found = {name: one for name, one in listed.items() if name not in taken}
        if key == "data":
            return wrapped({**own, "data": [*own["data"], *map(_openai, found)]})
        return reply({"models": [*own["models"], *found.values()]})


def gateway(models: HostedModels, server: Server, upstream: Upstream | None) -> Gateway:
    return Gateway(router(server), models, upstream)


def named(body: bytes) -> list[str]:
    """The models that a request names."""
    try:
        value = go_json.loads(body)
    except go_json.Malformed:
        return []
    if not isinstance(value, dict):
        return []
    return [item for key, item in value.items() if key.lower() in _NAMED and isinstance(item, str)]


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "library"}
