"""How near an answer's words are to those that are known to answer.

As SQuAD counts them: Rajpurkar, Zhang, Lopyrev, Liang, "SQuAD: 100,000+ Questions for Machine
Comprehension of Text", EMNLP 2016; Chinese by characters, as CMRC 2018 does: Cui et al., "A
Span-Extraction Dataset for Chinese Machine Reading Comprehension", EMNLP 2019.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_TOKEN = re.compile(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+")


def exact(said: str, golds: Sequence[str]) -> float:
    """1 where an answer is one of these, footnotes, case, articles and punctuation aside."""
    return float(_tokens(said) in map(_tokens, golds))


def f1(said: str, golds: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of the words, to the gold that is nearest."""
    return max((_f1(Counter(_tokens(said)), Counter(_tokens(gold))) for gold in golds), default=0.0)


def _f1(said: Counter[str], gold: Counter[str]) -> float:
    same = (said & gold).total()
    return 2 * same / (said.total() + gold.total()) if same else 0.0


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", _MARKER.sub("", text)).casefold()
    return _TOKEN.findall(_ARTICLE.sub(" ", plain))
