"""Chunks as in real knowledge bases, in English and Chinese, of frequent and rare words."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import sample_docs
from retrieval.ports import Posting

_DOCS = Path(sample_docs.__file__).parent
_TEXTS = ("tidewater-api-limits.md", "屋顶雨水花园研究笔记.md", "社区工具间使用须知.txt")
QUESTIONS = (
    "What is the limit of requests per minute for a key?",
    "How long does a token last, and is it renewed?",
    "工具可以借用多少天?",
    "雨水花园的屋顶",
    "the of and to in",
    "limit",
)


def words() -> list[str]:
    """The words, and runs of Chinese, of some sample documents, in their order."""
    text = " ".join((_DOCS / name).read_text() for name in _TEXTS)
    return re.findall(r"[A-Za-z0-9'.-]+|[\u4e00-\u9fff]{2,8}", text)


def postings(count: int, seed: int = 7) -> Sequence[Posting]:
    """Chunks of 1 to 400 words, a few words being most of them; five chunks a document."""
    random = np.random.default_rng(seed)
    known = [*dict.fromkeys(words())]
    chances = 1 / np.arange(1, len(known) + 1)
    drawn = random.permutation(known)
    return [
        Posting(
            f"{random.integers(1 << 62):016x}",
            f"document-{number // 5}",
            " ".join(random.choice(drawn, int(length), p=chances / chances.sum())),
        )
        for number, length in enumerate(random.gamma(2.0, 50.0, count).clip(1, 400))
    ]
