"""What is passed to the Ollama server behind this one, and its answers back, as they are."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from urllib.parse import quote

import anyio
import httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.stopping import ServerStopping, Stopping
from api.wire.framing import NDJSON, SSE, broken_off, dumps
from api.wire.refusals import Refusal
from retrieval.errors import ModelServerBroken, ModelServerError
from retrieval.kept_connections import KEPT
from retrieval.ollama.address import base_url
from retrieval.ollama.failures import blotted
from retrieval.ollama.settings import OllamaSettings
from retrieval.ollama.types import ModelSummary
from retrieval.ollama.values import Json, items, parsed, whole

_log = structlog.get_logger()

VIA = "via"
_OURS = "1.1 footnote"
_CONNECT = 5.0  # seconds
_LISTING = 5.0  # seconds for all of a list of models
# What belongs to one connection, or to the client's dealings with this server alone.
_OWN = frozenset(
    """
    authorization connection content-length cookie expect host keep-alive origin
    proxy-authorization referer te trailer transfer-encoding upgrade x-api-key
    """.split()
)
_BACK = frozenset(
    "allow cache-control content-encoding content-length content-type location retry-after".split()
)


class Upstream:
    """The Ollama server behind this one."""

    def __init__(
        self,
        settings: OllamaSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        stopping: Stopping | None = None,
    ) -> None:
        """Raises InvalidRequest for an address that can't be one."""
        self.url = base_url(settings.host)
        self._stopping = stopping or Stopping()
        self._key = settings.api_key
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(None, connect=_CONNECT),  # a model may load and think for long
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEPT
            ),
            transport=transport,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def pass_on(self, request: Request, body: bytes | None) -> Response:
        """The upstream's reply, its body streamed byte for byte; closed when the client goes.

        `body` None streams the client's. Raises Refusal: 502 where the upstream can't be reached
        or doesn't speak HTTP, 508 where it is this server itself.
        """
        if _OURS in request.headers.get(VIA, ""):
            raise Refusal(
                508, f"OLLAMA_HOST ({self.url}) leads back to this server: requests would go round."
            )
        sent = self._client.build_request(
            request.method,
            self.url + _path(request),
            params=request.scope["query_string"].decode("latin-1") or None,
            headers={**_passed(request.headers), VIA: _OURS},
            content=request.stream() if body is None else body,
        )
        reply = await self._sent(sent)
        headers = {name: reply.headers[name] for name in _BACK if name in reply.headers}
        if "transfer-encoding" in reply.headers:
            headers.pop("content-length", None)  # the chunks decide, by RFC 9112
        if request.method == "HEAD" or reply.status_code in (204, 304):
            await reply.aclose()
            return Response(status_code=reply.status_code, headers=headers)
        back = _bytes(reply, self.url)
        if reply.is_error and self._key:
            back = _blotted(back, self._key.encode())
        until = self._stopping.until(back)
        told = _ended(until, request.url.path, headers.get("content-type", ""))
        return StreamingResponse(told, reply.status_code, headers=headers)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        """The reply, its body still to come. Raises Refusal for none that could be passed on."""
        server = f"the Ollama server at {self.url}"
        try:
            reply = await self._client.send(request, stream=True)
        except httpx.RequestError as error:
            spoke = isinstance(error, httpx.RemoteProtocolError)
            how = "answers what isn't HTTP" if spoke else "can't be reached"
            what = blotted(str(error) or type(error).__name__, self._key)
            raise Refusal(502, f"{server} {how}: {what}") from None
        if reply.status_code >= 600:
            await reply.aclose()
            raise Refusal(502, f"{server} answers with {reply.status_code}, no status of HTTP")
        return reply

    async def listed(self, path: str, via: str) -> dict[str, Json]:
        """The models of `tags` or `ps` by their names; none, with a warning in the log, where it
        can't be asked, takes long or answers something else.
        """
        if _OURS in via:
            return {}
        try:
            with anyio.fail_after(_LISTING):
                async with self._client.stream(
                    "GET", self.url + path, headers={VIA: _OURS}
                ) as reply:
                    return _models(await whole(reply.raise_for_status()))
        except (httpx.HTTPError, TimeoutError, ModelServerError) as error:
            what = str(error) or type(error).__name__
            _log.warning("upstream_unavailable", url=self.url, error=what)
            return {}


def _models(data: bytes) -> dict[str, Json]:
    """The models of a list, as they stand in it. Raises ModelServerBroken."""
    reply = parsed(data, "The list of the upstream's models")
    try:
        dumps(reply)
    except TypeError as error:  # it can be read, but not be told on
        raise ModelServerBroken(f"The list of the upstream's models: {error}.") from error
    return {ModelSummary.of(one).name: one for one in items(reply, "models", dict)}


async def _ended(body: AsyncGenerator[bytes], path: str, content_type: str) -> AsyncIterator[bytes]:
    """The body; where the server stops first, a stream ends with an error in its protocol."""
    last = b""
    try:
        async with aclosing(body):
            async for chunk in body:
                last = chunk or last
                yield chunk
    except ServerStopping as error:
        end = broken_off(path, Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error)))
        if not content_type.startswith((NDJSON, SSE)):
            raise  # one value, of which the rest is missing
        yield end if last.endswith(b"\n") or not last else b"\n\n" + end


async def _bytes(reply: httpx.Response, url: str) -> AsyncGenerator[bytes]:
    """The reply's body. What breaks off there breaks off here too."""
    try:
        async for chunk in reply.aiter_raw():
            yield chunk
    except httpx.RequestError as error:
        _log.warning("upstream_broke_off", url=url, error=str(error))
        raise
    finally:
        await reply.aclose()


async def _blotted(body: AsyncGenerator[bytes], key: bytes) -> AsyncGenerator[bytes]:
    """An error's body, as long as it was, without the key that it may repeat."""
    kept = b""
    async with aclosing(body):
        async for chunk in body:
            come = (kept + chunk).replace(key, b"*" * len(key))
            at = max(len(come) - len(key) + 1, 0)  # the key may begin behind it
            kept = come[at:]
            yield come[:at]
    yield kept


def _path(request: Request) -> str:
    """The path, escaped so that it stays that path. Raises Refusal for one that leads upwards."""
    path: str = request.scope["path"]
    if {".", ".."} & set(path.split("/")):
        raise Refusal(404, "404 page not found")
    return quote(path, safe="/:")


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go on: without what asks for a body that would have to be packed."""
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in _OWN and name.lower() != "accept-encoding"
    } | {"accept-encoding": "identity"}
