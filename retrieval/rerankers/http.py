"""A reranker at a server that speaks `/rerank` as text-embeddings-inference does."""

import math
from collections.abc import Sequence

import httpx

from retrieval.errors import InvalidRequest, ModelServerError, ModelServerUnavailable
from retrieval.kept_connections import KEPT

_TIMEOUT = 60.0


class HttpReranker:
    """Scores of passages by `POST URL {query, texts}`, which answers `[{index, score}]`.

    huggingface.github.io/text-embeddings-inference, operation rerank.
    """

    batch = 32  # what text-embeddings-inference takes at once, unless it is told otherwise

    def __init__(self, url: str, timeout: float = _TIMEOUT) -> None:
        """A user, a password and a query in the URL are sent, and not told. Raises InvalidRequest
        for a URL that is none.
        """
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise InvalidRequest(
                "FOOTNOTE_RERANKER is no URL; one looks like http://gpu1:8080/rerank."
            ) from None
        self.name = str(self._url.copy_with(userinfo=b"", query=None))
        self._client = httpx.Client(
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=KEPT),
            trust_env=False,  # no proxy that configuration didn't ask for
        )

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        body = {"query": query, "texts": list(texts), "truncate": False}
        try:
            reply = self._client.post(self._url, json=body)
        except httpx.HTTPError as error:
            raise ModelServerUnavailable(
                f"The reranker at {self.name} doesn't answer ({error}). Start it, or unset "
                f"FOOTNOTE_RERANKER."
            ) from error
        if reply.is_error:
            raise ModelServerError(
                f"The reranker at {self.name} answered {reply.status_code}: {reply.text[:300]}"
            )
        return self._read(reply, len(texts))

    def close(self) -> None:
        self._client.close()

    def _read(self, reply: httpx.Response, count: int) -> list[float]:
        try:
            found = {int(one["index"]): float(one["score"]) for one in reply.json()}
        except (ValueError, KeyError, TypeError) as error:
            raise ModelServerError(
                f"The reranker at {self.name} answered something else than scores: {error!r}."
            ) from error
        if not all(map(math.isfinite, found.values())):
            raise ModelServerError(f"The reranker at {self.name} gave a score that is no number.")
        if found.keys() != set(range(count)):
            raise ModelServerError(
                f"The reranker at {self.name} scored {len(found)} of {count} texts."
            )
        return [found[at] for at in range(count)]
