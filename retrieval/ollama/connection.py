"""One HTTP connection pool to an Ollama server, and what its replies mean."""

import itertools
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import anyio
import httpx

from retrieval.errors import ModelServerError, ModelServerUnavailable
from retrieval.kept_connections import KEPT
from retrieval.ollama.address import OLLAMA, Kind, base_url
from retrieval.ollama.failures import blotted, failure, lifted, stated
from retrieval.ollama.lines import objects
from retrieval.ollama.retry import Retry, persist
from retrieval.ollama.values import parsed, whole

_CONNECTIONS = 32
_LOOKUPS = frozenset({"/api/version", "/api/tags", "/api/ps", "/api/show", "/info"})
_SECONDS = re.compile("[0-9]{1,9}")
_LONGEST_REST = 3_600  # seconds, of those that a server asks for


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, to the first byte (a model may have to be loaded), and to the next.

    `lookup`: seconds for all of a reply that takes no model.
    """

    connect: float = 5.0
    first_byte: float = 300.0
    between: float = 120.0
    lookup: float = 30.0

    @property
    def reply(self) -> float:
        """Seconds for all of a reply that comes at once."""
        return self.first_byte + self.between


class Connection:
    """Sends requests, reads replies. An event loop's own."""

    def __init__(
        self,
        host: str,
        api_key: str = "",
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        kind: Kind = OLLAMA,
    ) -> None:
        """`host` as OLLAMA_HOST has it; `api_key` for Ollama's cloud. Raises InvalidRequest."""
        self.url = base_url(host, kind)
        self._kind = kind
        self._server = f"The {kind.name} at {self.url}"
        self.retry = retry or Retry()
        self._key = api_key
        self._timeouts = timeouts or Timeouts()
        headers = {"User-Agent": "footnote", "Accept": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._client = httpx.AsyncClient(
            headers=headers,
            limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=KEPT),
            timeout=httpx.Timeout(self._timeouts.first_byte, connect=self._timeouts.connect),
            transport=transport,
            verify=_certificates(),
            trust_env=False,  # no proxy that configuration didn't ask for
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The object of a reply, without fields for an empty one; asked once.

        Raises ModelServerError.
        """
        seconds = self._timeouts.lookup if path in _LOOKUPS else self._timeouts.reply
        url = self.url + path
        with self._explained():
            with anyio.fail_after(seconds):
                async with self._client.stream(method, url, json=body, headers=headers) as response:
                    content = await whole(response)
            if response.status_code >= 300:
                raise failure(self._server, response.status_code, content, _rest(response))
            return parsed(content, f"The answer of {url}") if content else {}

    async def persist(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The same, asked again while the server is unavailable."""
        return await persist(lambda: self.ask(method, path, body, headers), self.retry)

    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The objects of a streamed reply; asked again until the first one is there.

        Closing the generator closes the request. Raises ModelServerError, also for a line that
        holds an error.
        """
        began = False
        for failures in itertools.count(1):
            try:
                async with aclosing(self._once(path, body)) as lines:
                    async for line in lines:
                        began = True
                        yield line
            except ModelServerUnavailable as error:
                if began or self.retry.over(failures, error):
                    raise
            else:
                return
            await anyio.sleep(self.retry.pause(failures))

    async def _once(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        request = self._client.build_request("POST", self.url + path, json=body)
        with self._explained():
            with anyio.fail_after(self._timeouts.first_byte):
                response = await self._client.send(request, stream=True)
            async with aclosing(response):
                if response.status_code >= 300:
                    with anyio.fail_after(self._timeouts.between):
                        content = await whole(response)
                        raise failure(self._server, response.status_code, content, _rest(response))
                chunks = _paced(response.aiter_bytes(), self._timeouts.between)
                async for line in objects(chunks):
                    if "error" in line:
                        raise stated(self._server, 0, lifted(line["error"]))
                    yield line

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Every error as a ModelServerError, and none with the key, which a server may repeat."""
        try:
            yield
        except (httpx.RequestError, TimeoutError) as error:
            what = blotted(str(error) or type(error).__name__, self._key)
            raise ModelServerUnavailable(
                f"{self._server} can't be used: {what}. Is it running there? {self._kind.setting} "
                f"says where to look."
            ) from error
        except ModelServerError as error:
            error.args = (blotted(str(error), self._key),)
            raise


async def _paced(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The chunks. Raises TimeoutError where one takes longer than the model ever should."""
    while True:
        with anyio.fail_after(seconds):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk


def _rest(response: httpx.Response) -> int:
    """The seconds that a server asks to be left alone for."""
    asked = response.headers.get("retry-after", "")
    return min(int(asked), _LONGEST_REST) if _SECONDS.fullmatch(asked) else 0


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: that takes 21 ms, which every answer of a chat model would wait for."""
    return httpx.create_ssl_context(trust_env=False)
