"""The embedding model of other Footnote servers, so that none need be loaded here.

It is the servers' own model: what is embedded there and here can be compared. Texts are counted
here, by the tokenizer that a server shows.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import orjson
from tokenizers import Tokenizer

from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.portal import opening
from retrieval.embedding.sentence_model import DEFAULT_ALIASES, DEFAULT_MODEL
from retrieval.embedding.servers import EmbeddingServers, ServerSettings
from retrieval.embedding.tokens import TextTokenizer, TokenizedText
from retrieval.errors import ModelUnavailable
from retrieval.types import Vectors

# Padded tokens a request at least: of fewer, HTTP would be a good part of what they cost.
_LEAST_BATCH = 4_096
# Requests that a server has in flight beyond those that it computes side by side: so that the next
# one is there when one is done.
_AHEAD = 1
_MOST_THREADS = 64
_REPLY_BYTES = 32 * 1024 * 1024  # of which half is room for what a server says besides
_A_NUMBER = 14  # bytes of one in a reply, at the most
_FRAME = 4_096  # bytes of a request besides its texts


class FootnoteBackend:
    """A model that other Footnote servers embed with: `(n, d) float32` unit vectors."""

    def __init__(self, model: str, settings: ServerSettings) -> None:
        """Find the servers, and what their model is: that of this name.

        Raises ModelUnavailable, InvalidRequest, and ModelServerUnavailable where none is there now.
        """
        with opening(model) as (self._resources, self._portal):
            servers: EmbeddingServers = self._resources.enter_context(
                self._portal.wrap_async_context_manager(EmbeddingServers(settings))
            )
            name = DEFAULT_MODEL if model.lower() in DEFAULT_ALIASES else model
            offer = self._portal.call(servers.open, name)
            self.tokenizer = self._portal.call(servers.tokenizer)
            self._count, self._tokenize = _reading(name, self.tokenizer)
        self._servers = servers
        self.identity = offer.identity
        self.batch_tokens = max(_LEAST_BATCH, offer.batch_tokens)
        self.parallel = min(_MOST_THREADS, len(settings.urls) * (offer.parallel + _AHEAD))
        self._most_bytes = offer.request_bytes - _FRAME
        self._most_texts = max(1, _REPLY_BYTES // (_A_NUMBER * self.identity.dimension))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._count(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return self._tokenize(texts)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        return np.concatenate([self._embed(part, urgent) for part in self._parts(texts)])

    def close(self) -> None:
        self._resources.close()

    def _embed(self, texts: Sequence[TokenizedText], urgent: bool) -> Vectors:
        tokens = sum(text.count for text in texts)
        plain = [text.text for text in texts]
        return self._portal.call(self._servers.embed, plain, tokens, urgent)

    def _parts(self, texts: Sequence[TokenizedText]) -> Iterator[list[TokenizedText]]:
        """The texts, as many at a time as a request and its reply have room for."""
        part: list[TokenizedText] = []
        size = 0
        for text in texts:
            more = len(orjson.dumps(text.text)) + 1
            if part and (len(part) == self._most_texts or size + more > self._most_bytes):
                yield part
                part, size = [], 0
            part.append(text)
            size += more
        yield part


def _reading(
    model: str, tokenizer: str
) -> tuple[Callable[[Sequence[str]], list[int]], Callable[[Sequence[str]], list[TokenizedText]]]:
    """What counts the tokens of texts, and what reads them without ids, as the model does.

    Raises ModelUnavailable.
    """
    if model == "hashing":
        hashing = HashingBackend()
        return hashing.count_tokens, hashing.tokenize
    try:
        own = TextTokenizer(Tokenizer.from_str(tokenizer))
    except Exception as error:  # tokenizers raises nothing more particular
        raise ModelUnavailable(
            f"The servers of FOOTNOTE_EMBEDDING_URL don't say how {model!r} tokenises: {error}"
        ) from error
    return own.count, own.measure
