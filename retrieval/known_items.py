"""Questions made of the text itself: a sentence, and the passage that it was taken out of.

The inverse cloze task: Lee, Chang, Toutanova, "Latent Retrieval for Weakly Supervised Open Domain
Question Answering", ACL 2019. Words alone lead from one to the other less often than sense; and
people don't ask in sentences of the text. So these questions tell how two systems compare rather
than how good either is.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from retrieval.chunks import Chunks, Passage
from retrieval.sentences import sentences
from retrieval.types import KnowledgeBase

_SHORTEST = 12  # code points of a sentence that is a question
_SAMPLE = 4_096  # chunks that are looked at: not every one has two sentences
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class KnownItem:
    """A sentence, and the text of its chunk with it and without.

    The texts are those that are embedded and indexed: they begin with the chunk's context.
    """

    question: str
    origin: Passage
    whole: str
    rest: str


def known_items(chunks: Chunks, kb: KnowledgeBase, count: int, seed: int = 0) -> list[KnownItem]:
    """At most `count` known items, spread over the knowledge base; a second of a chunk, and a
    third, only where every other has given one.

    The same for the same texts and seed, whose hashes choose. With another seed the sentence that
    seed 0 takes of a chunk first comes last.
    """
    found: list[KnownItem] = []
    for turn in range(count):
        items = (item for passage in _sampled(chunks, kb) if (item := _item(passage, turn, seed)))
        more = list(islice(items, count - len(found)))
        if not more:
            break
        found += more
    return found


def _sampled(chunks: Chunks, kb: KnowledgeBase) -> Iterator[Passage]:
    ids = chunks.sample(kb, _SAMPLE)
    for at in range(0, len(ids), _BLOCK):
        passages = chunks.passages(kb, ids[at : at + _BLOCK])
        yield from (passages[key] for key in ids[at : at + _BLOCK] if key in passages)


def _item(passage: Passage, turn: int, seed: int) -> KnownItem | None:
    chunk, text = passage.chunk, passage.text
    spans = [span for span in sentences(text) if span.end - span.start >= _SHORTEST]
    if len(spans) < max(2, turn + 1):
        return None
    start, end = spans[_order(text, len(spans), seed)[turn]]
    return KnownItem(
        question=text[start:end],
        origin=passage,
        whole=chunk.context + text,
        rest=chunk.context + text[:start] + text[end:],
    )


def _order(text: str, count: int, seed: int) -> list[int]:
    """In which order the sentences of a chunk are taken."""
    first = zlib.crc32(text.encode()) % count
    if seed == 0:
        return [(first + step) % count for step in range(count)]

    def by_chance(at: int) -> tuple[bool, str]:
        return at == first, blake2b(f"{seed}:{text}:{at}".encode(), digest_size=8).hexdigest()

    return sorted(range(count), key=by_chance)
