"""What makes two vectors comparable: the identity of the model that made them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What a model expects before a question and before a passage."""

    query: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Everything that changes a vector. `window` counts tokens, special ones included."""

    name: str
    weights: str
    dimension: int
    window: int
    pooling: str
    normalised: bool
    prefixes: Prefixes
    dtype: str

    @property
    def fingerprint(self) -> str:
        """A short digest that changes when anything in the identity does."""
        canonical = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "prefixes": Prefixes(**value["prefixes"])})

    def __str__(self) -> str:
        return f"{self.name!r} ({self.dimension} dimensions, {self.dtype}, {self.fingerprint})"


_WEB_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"
_PASSAGES = Prefixes("Represent this sentence for searching relevant passages: ")

# From each model's own card. The first pattern found in the lower-cased name decides.
PREFIXES: tuple[tuple[str, Prefixes], ...] = (
    (r"e5.*-instruct", Prefixes(f"Instruct: {_WEB_SEARCH}\nQuery: ")),
    (r"(^|[/-])e5-", Prefixes("query: ", "passage: ")),
    (r"bge-m3", Prefixes()),
    (r"bge-.*-zh", Prefixes("为这个句子生成表示以用于检索相关文章：")),
    (r"bge-.*-en", _PASSAGES),
    (r"mxbai-embed", _PASSAGES),
    (r"nomic-embed", Prefixes("search_query: ", "search_document: ")),
    (r"arctic-embed-[lm]-v2", Prefixes("query: ")),
    (r"arctic-embed", _PASSAGES),
    (r"qwen3-embedding", Prefixes(f"Instruct: {_WEB_SEARCH}\nQuery:")),
    (r"embeddinggemma", Prefixes("task: search result | query: ", "title: none | text: ")),
)


def prefixes_for(name: str, prompts: Mapping[str, str]) -> Prefixes:
    """The prefixes of a model: those it declares itself, else those of the table, else none.

    `prompts` are the ones a sentence-transformers model carries in its configuration.
    """
    declared = Prefixes(
        prompts.get("query", ""), prompts.get("document", "") or prompts.get("passage", "")
    )
    if declared != Prefixes():
        return declared
    for pattern, prefixes in PREFIXES:
        if re.search(pattern, name.lower()):
            return prefixes
    return Prefixes()
