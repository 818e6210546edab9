"""What the services of this package need from the world, and nothing more."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from retrieval.conversation import Turn
from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.tokens import TokenizedText
from retrieval.ollama.types import ChatPart
from retrieval.types import Vector, Vectors

P = ParamSpec("P")
T = TypeVar("T")


class Scored(NamedTuple):
    """A chunk id and its score in one leg; higher is better."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Posting:
    """What the lexical index is told of a chunk: the text is indexed, not stored."""

    id: str
    document_id: str
    text: str


class VectorStore(Protocol):
    """Vectors by chunk id, searched by cosine. One store a knowledge base and generation."""

    def upsert(self, ids: Sequence[str], vectors: Vectors, document_ids: Sequence[str]) -> None:
        """Write `(n, d)` unit vectors; an id that exists is overwritten."""

    def delete(self, ids: Sequence[str]) -> None:
        """Forget these ids; one that isn't there is ignored."""

    def query(self, vector: Vector, k: int) -> list[Scored]:
        """The k nearest ids by cosine, best first; fewer if the store holds fewer."""

    def count(self) -> int:
        """How many vectors the store holds."""

    def ids(self) -> set[str]:
        """The ids of all of them."""

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """The stored vectors of those of the ids that are there."""


class LexicalStore(Protocol):
    """Postings by chunk id, searched by BM25. One store a knowledge base and generation."""

    def upsert(self, postings: Sequence[Posting]) -> None:
        """Index these chunks, visible on return; an id that exists is replaced."""

    def delete(self, ids: Sequence[str]) -> None:
        """Forget these ids; one that isn't there is ignored."""

    def query(self, text: str, k: int, documents: Collection[str] | None = None) -> list[Scored]:
        """The k best ids by BM25, best first, ties by id; only of `documents` if given.

        Terms weigh what `question.term_weights` says.
        """

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        """In how many chunks each analysed term occurs."""

    def count(self) -> int:
        """How many chunks the store holds."""

    def ids(self) -> set[str]:
        """The ids of all of them."""


class LexicalStores(Protocol):
    """All the lexical stores, by name."""

    def open(self, name: str) -> LexicalStore:
        """The store of that name, made if it isn't there. Raises StoreUnavailable."""

    def drop(self, name: str) -> None:
        """Delete the store of that name; if there is none, nothing happens."""

    def names(self) -> list[str]:
        """Of those that there are."""

    def close(self) -> None:
        """Let go of what it holds."""


class EmbeddingBackend(Protocol):
    """A model that turns texts into vectors. At most `parallel` threads at once call `encode`."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def batch_tokens(self) -> int:
        """Padded tokens (longest text x texts) that one call of `encode` handles best."""

    @property
    def parallel(self) -> int:
        """Calls of `encode` that may run side by side."""

    @property
    def tokenizer(self) -> str:
        """How it tokenises, as the `tokenizers` library writes it; empty where that can't say."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones included. Any thread may call it."""

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Each text as `encode` wants it. Any thread may call it."""

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        """`(n, d) float32` unit vectors of texts that fit the window, in their order.

        `urgent`: somebody waits, which matters to a model that others use, too.
        ModelServerUnavailable says that no text can be embedded now; of any other error the
        caller finds out which text it is by trying fewer.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class Reranker(Protocol):
    """A model that scores passages for a question. Any thread may call it."""

    name: str

    @property
    def batch(self) -> int:
        """How many passages one call handles best."""

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """A score of each passage, the higher the better. Raises ModelServerError."""

    def close(self) -> None:
        """Let go of what it holds."""


class ChatModels(Protocol):
    """Chat models by name."""

    async def window(self, model: str) -> int:
        """The tokens that a prompt and its answer may have together. Raises ModelServerError."""

    async def names(self) -> list[str]:
        """The models there are. Raises ModelServerError."""

    async def digest(self, model: str) -> str:
        """What tells a model's files from others of its name, empty where the server doesn't say.
        Raises ModelServerError.
        """

    def stream(
        self, model: str, messages: Sequence[Turn], options: Mapping[str, Any], estimate: int
    ) -> AsyncGenerator[ChatPart]:
        """The parts of an answer to messages of about `estimate` tokens. Raises
        ModelServerError, also rather than cut a prompt.
        """


class Threads(Protocol):
    """Runs blocking work in a thread."""

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


class Stores(Protocol):
    """The stores of each generation, by its id; opened, and made, when they are asked for.

    Raises NotFound for those that were dropped, StoreUnavailable for vectors that are gone though
    the catalogue has live chunks of them: an empty store would hide that.
    """

    def vectors(self, generation: str) -> VectorStore: ...

    def lexical(self, generation: str) -> LexicalStore: ...

    def drop(self, generation: str) -> None:
        """Delete both stores of a generation; one that isn't there is ignored."""

    def make_vectors(self, generation: str) -> None:
        """Make the vector store of a generation, if it isn't there, to be filled."""

    def drop_words(self, generation: str) -> None:
        """Delete the lexical index of a generation, to be filled again."""

    def generations(self) -> set[str]:
        """The generations of which there is any store."""

    def doubt(self) -> None:
        """Say that a write may be incomplete, so that the next start compares them all."""


class Blobs(Protocol):
    """Original bytes by their SHA-256."""

    def put(self, data: bytes) -> str:
        """Keep these bytes durably; their SHA-256 in hexadecimal. Raises StoreUnavailable."""

    def get(self, digest: str) -> bytes:
        """The bytes, checked against their digest. Raises DataLost, StoreUnavailable."""

    def has(self, digest: str) -> bool:
        """Whether these bytes are kept."""

    def delete(self, digest: str) -> None:
        """Forget these bytes; if they aren't there, nothing happens. Raises StoreUnavailable."""

    def digests(self) -> Iterator[str]:
        """All that is kept."""

    def close(self) -> None:
        """Let go of what it holds."""
