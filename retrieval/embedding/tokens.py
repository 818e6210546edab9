"""Texts as a model reads them: tokenised once, by whoever needs to know first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Ids: TypeAlias = NDArray[np.int32]

# Texts that are tokenised at a time: each costs some kilobytes until its ids are taken, and a book
# has a hundred thousand sentences.
_TOGETHER = 512

_NONE: Ids = np.zeros(0, dtype=np.int32)

_PIECE = 0.5  # how much of a piece within a word counts as not read

# Texts are filled up to a multiple of this. A text's vector is then the same to the last bit,
# whatever is embedded beside it in a batch of one `padded` length: of 1,000 texts in batches of 2
# to 64 none differed from what it was alone, with OpenVINO in each precision and torch in float32,
# on 2026-11-22. Filled up to the longest beside them, 5 % (bfloat16) to 53 % (torch) did, down to a
# cosine of 0.999994. Long texts take 0.87 to 0.99 of the time they took then, the sentences of an
# answer 0.77 to 0.91, hundreds of questions of a dozen tokens 1.12 to 1.17.
_STEP = 16


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text, how many tokens it has with the special ones, and their ids `(count,) int32`.

    `unread` counts those that say little of what stands there: each that stands for what the
    vocabulary doesn't have, and half of each piece of a word after its first. A model elsewhere
    reads the text: then there are no ids, and the count may be a bound.
    """

    text: str
    count: int
    ids: Ids = field(default_factory=lambda: _NONE, compare=False, repr=False)
    unread: float = field(default=0.0, compare=False)

    @property
    def key(self) -> str | bytes:
        """What two texts with one vector have in common: what the model reads of them."""
        return self.ids.tobytes() or self.text


class TextTokenizer:
    """A tokenizer that neither cuts nor pads. Any thread may call it.

    Whoever sets the truncation of a shared one changes what other threads get, without an error:
    so this one is nobody else's.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def to_json(self) -> str:
        """As the `tokenizers` library writes one."""
        written: str = self._tokenizer.to_str()
        return written

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones included."""
        counts: list[int] = []
        for at in range(0, len(texts), _TOGETHER):
            found = self._tokenizer.encode_batch_fast(list(texts[at : at + _TOGETHER]))
            counts += map(len, found)
        return counts

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Each text with its ids."""
        tokenized: list[TokenizedText] = []
        for at in range(0, len(texts), _TOGETHER):
            part = list(texts[at : at + _TOGETHER])
            for text, encoding in zip(part, self._tokenizer.encode_batch_fast(part), strict=True):
                ids = np.asarray(encoding.ids, dtype=np.int32)
                unread = float(self._unread[ids].sum())
                tokenized.append(TokenizedText(text, len(ids), ids, unread))
        return tokenized

    def measure(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Each text without its ids, for a model elsewhere, which reads the text itself."""
        return [replace(one, ids=_NONE) for one in self.tokenize(texts)]

    @cached_property
    def _unread(self) -> NDArray[np.float32]:
        """By id, how much of each token counts as not read.

        Pieces after the first are known where the tokenizer marks them, as WordPiece does.
        """
        model = json.loads(self._tokenizer.to_str())["model"]
        known = self._tokenizer.get_vocab()
        # Ids may have gaps, so that the highest is beyond their number.
        unread = np.zeros(max(known.values(), default=0) + 1, dtype=np.float32)
        if prefix := model.get("continuing_subword_prefix"):
            unread[[at for name, at in known.items() if name.startswith(prefix)]] = _PIECE
        if (unknown := model.get("unk_id")) is None and (name := model.get("unk_token")):
            unknown = self._tokenizer.token_to_id(name)
        if unknown is not None:
            unread[int(unknown)] = 1.0
        return unread


def padded(count: int) -> int:
    """The length that a text of so many tokens is filled up to, where the window allows it."""
    return -(-count // _STEP) * _STEP


@dataclass(frozen=True, slots=True)
class Padding:
    """What fills the texts of a batch up: the id that a model has for it, and its window.

    On the right, also where a decoder's tokenizer does it on the left: so a text's positions are
    those it has alone, and no row of attention is all masked, which OpenVINO makes NaN of.
    """

    id: int
    window: int

    def batch(self, texts: Sequence[TokenizedText]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of texts that have them, and the mask of what is no padding: `(n, length)`."""
        longest = max(text.count for text in texts)
        length = max(longest, min(padded(longest), self.window))
        ids = np.full((len(texts), length), self.id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : text.count] = text.ids
            mask[row, : text.count] = 1
        return ids, mask
