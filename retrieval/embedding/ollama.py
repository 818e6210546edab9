"""An embedding model at an Ollama server.

Every text fits the model's window by its own tokenizer, made again from the vocabulary that the
server shows and checked against the server's own counts; where that doesn't work, by a bound that
no tokenizer exceeds. So nothing is ever cut: the server is told to refuse rather.
"""

import time
from collections.abc import Sequence

import numpy as np
import structlog

from retrieval.embedding.identity import ModelIdentity, prefixes_for
from retrieval.embedding.portal import opening
from retrieval.embedding.received import are_unit, received
from retrieval.embedding.tokens import TextTokenizer, TokenizedText
from retrieval.embedding.vocabulary import tokenizer_of, upper_bound
from retrieval.errors import (
    EmbeddingFailed,
    ModelServerRefused,
    ModelUnavailable,
    TextTooLong,
)
from retrieval.ollama.client import OllamaClient
from retrieval.ollama.settings import OllamaSettings
from retrieval.ollama.types import Embeddings, Shown
from retrieval.types import Vectors

_log = structlog.get_logger()

# Padded tokens a request. The server embeds text after text, so that more at once wins nothing,
# and a question waits behind what is in flight.
BATCH_TOKENS = 4_096
# Longer inputs crash the runner of many releases: they exceed its batch.
LONGEST_WINDOW = 2_048
_DEFAULT_WINDOW = 512
_CHECK_EVERY = 60.0  # seconds between looks at whether the model is still the same

# Where tokenizers differ: case, accents, digits, scripts, marks, white space, long words.
_PROBES = (
    "The quick brown fox — jumps over 12,345.67 lazy dogs!",
    "Ünïcödé Straße, naïve café, ЁЛКА; don't, it's",
    "运费险的理赔时限是七天。ＡＢＣ全角，標點「引號」",
    "日本語のテキスト 한국어 텍스트 العربية हिन्दी ไทย 🍵👩‍👩‍👧",
    "https://example.com/a_b?c=d&e=%20 foo_bar() { return x+=1; }\n\n\tTab  two  spaces",
    "internationalization antidisestablishmentarianism xkcdqzvwpljh",
)


class OllamaBackend:
    """A model that an Ollama server embeds with: `(n, d) float32` unit vectors."""

    batch_tokens = BATCH_TOKENS
    tokenizer = ""

    def __init__(self, model: str, settings: OllamaSettings) -> None:
        """Find the model and what it is. Raises ModelUnavailable, InvalidRequest, and
        ModelServerUnavailable where that may be found later.
        """
        self.parallel = settings.requests
        self._model = model
        self._keep_alive = settings.keep_alive
        with opening(model) as (self._resources, self._portal):
            self._client: OllamaClient = self._resources.enter_context(
                self._portal.wrap_async_context_manager(settings.client())
            )
            self._open()

    def _open(self) -> None:
        shown = self._portal.call(self._show)
        if shown.capabilities and "embedding" not in shown.capabilities:
            raise ModelUnavailable(
                f"{self._model!r} at {self._client.url} is no embedding model, it can "
                f"{', '.join(shown.capabilities)}."
            )
        window = shown.num_ctx or shown.context_length or _DEFAULT_WINDOW
        self._options = {"num_ctx": min(window, LONGEST_WINDOW)}
        self._digest = self._portal.call(self._find)
        self._checked_at = time.monotonic()
        probed = [self._ask([text]) for text in _PROBES]
        self._tokenizer = _agreeing(shown, [one.tokens for one in probed])
        self.identity = ModelIdentity(
            name=f"ollama:{_tagged(self._model)}",
            weights=self._digest,
            dimension=len(probed[0].vectors[0]) if probed[0].vectors else 0,
            window=self._options["num_ctx"],
            pooling=str(shown.model_info.get(f"{shown.architecture}.pooling_type", "unknown")),
            normalised=True,
            prefixes=prefixes_for(self._model, {}),
            dtype=str(shown.details.get("quantization_level") or "unknown"),
        )

    @property
    def exact(self) -> bool:
        """Whether tokens are counted, rather than bounded."""
        return self._tokenizer is not None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if self._tokenizer is None:
            return [upper_bound(text) for text in texts]
        return self._tokenizer.count(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        if self._tokenizer is None:
            return list(map(TokenizedText, texts, self.count_tokens(texts)))
        return self._tokenizer.measure(texts)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:  # noqa: ARG002
        self._check_digest()
        return self._vectors([text.text for text in texts])

    def close(self) -> None:
        self._resources.close()

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, as far as the server has them."""
        vectors = self._embed(texts)
        bad = np.flatnonzero(~are_unit(vectors)).tolist()
        if bad:
            # NaN comes as zeros, and not every time. Alone it gets a runner that starts afresh.
            if len(texts) == 1:
                self._portal.call(self._client.unload, self._model)
            vectors[bad] = self._embed([texts[row] for row in bad])
        return vectors

    def _embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors, one a text and of the right length; asked for twice if need be."""
        try:
            return self._shaped(texts)
        except EmbeddingFailed:
            return self._shaped(texts)

    def _shaped(self, texts: Sequence[str]) -> Vectors:
        """The vectors as they came. Raises EmbeddingFailed where they can't be right."""
        return received(self._ask(texts), len(texts), self.identity)

    def _ask(self, texts: Sequence[str]) -> Embeddings:
        try:
            return self._portal.call(self._request, list(texts))
        except ModelServerRefused as error:
            if "context length" in error.reason:
                raise TextTooLong(f"{self._model} finds a text too long: {error}") from error
            raise

    async def _request(self, texts: list[str]) -> Embeddings:
        return await self._client.embed(
            self._model, texts, keep_alive=self._keep_alive, options=self._options
        )

    async def _show(self) -> Shown:
        return await self._client.show(self._model, verbose=True)

    async def _find(self) -> str:
        """The digest of the model's weights."""
        wanted = _tagged(self._model)
        for summary in await self._client.tags():
            if _tagged(summary.name) == wanted:
                return summary.digest
        return "unknown"

    def _check_digest(self) -> None:
        """Raises ModelUnavailable where another model has taken the name meanwhile."""
        if time.monotonic() - self._checked_at < _CHECK_EVERY:
            return
        found = self._portal.call(self._find)
        if found != self._digest:
            raise ModelUnavailable(
                f"{self._model} was pulled anew at {self._client.url}: its digest was "
                f"{self._digest[:12]} and is {found[:12]}. Vectors of the two can't be compared: "
                f"start again, with a new knowledge base or the old model."
            )
        self._checked_at = time.monotonic()


def _agreeing(shown: Shown, counted: Sequence[int | None]) -> TextTokenizer | None:
    """The model's tokenizer, if it counts the probes as the server did."""
    try:
        found = tokenizer_of(shown.model_info)
    except Exception as error:  # noqa: BLE001 - tokenizers raises nothing more particular
        _log.warning("vocabulary_unusable", architecture=shown.architecture, error=str(error))
        return None
    if found is None:
        return None
    tokenizer = TextTokenizer(found)
    return tokenizer if tokenizer.count(_PROBES) == list(counted) else None


def _tagged(name: str) -> str:
    """A model's name with its tag, as names are compared."""
    return (name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest").lower()
