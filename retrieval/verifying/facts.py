"""What a sentence states that can be checked letter by letter: numbers, dates, units, names, and
whether it denies.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from retrieval.analysis import analyse
from retrieval.question import FUNCTION_WORDS, content_terms
from retrieval.sentences import sentences
from retrieval.verifying.quantities import MONTHS, Quantity, quantities


class Kind(StrEnum):
    """What differs."""

    NUMBER = "number"
    DATE = "date"
    UNIT = "unit"
    NAME = "name"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a sentence states and its evidence doesn't: as the sentence has it."""

    kind: Kind
    said: str


# Capitalised, but not as the first word of a sentence; Latin words and titles within Chinese.
_NAME = re.compile(
    r"(?<![.!?:;•*#-]\s)(?<!^)(?<![\w’'*_-])[A-Z][\w’'-]{1,40}|[《「『]([^》」』]{1,40})[》」』]"
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
_FOREIGN = re.compile(r"[\u4e00-\u9fff]{1,6}(?:·[\u4e00-\u9fff]{1,6})+")
_NO_NAMES = frozenset(
    "I A An The This That These Those It He She They We You In On At Of For And Or But If As By "
    "To From With Its His Her Their Our My Mr Mrs Ms Dr".split()
).union(MONTHS, (name[:3] for name in MONTHS))

_NEAR = 40  # characters
_MOST = 50  # quantities that one is held against
# A word that stands beside a number, white space and marks between them.
_SIDE = r"([^\W_\u4e00-\u9fff]+|[\u4e00-\u9fff]{1,2})"
_BEFORE = re.compile(rf"{_SIDE}[^\w]{{0,3}}$")
_AFTER = re.compile(rf"[^\w]{{0,3}}{_SIDE}")
# Characters in a row of which none stands in the passage: a name, rather than other words for the
# same, which mostly have two.
_STRANGE = 3
_PARTICLES = "的是在了和与为有被于对从到把将以及"
_SURE = 2  # characters

_DENIES = re.compile(
    r"\b(?:not|never|no|none|neither|nor|nobody|nothing|without|cannot|fail(?:s|ed)? to|unable)\b"
    r"|n['’]t\b|prohibit(?:s|ed)?|forbid(?:s|den)?\b"
    r"|(?<![差特分])[不没未](?![仅只同久论管断少足过来])|无(?![论数锡线])|并非|绝非|毫无|禁止",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"^\W{0,9}no,|\bnot only\b|\bno doubt\b|(?<=\bneither\b)(.{1,80})\bnor\b", re.IGNORECASE
)
_CLAUSES = re.compile(
    r"[,，;；:：—]|\b(?:but|although|though|while|whereas|which|who|where)\b|(?=\bwithout\b)|但|而"
)
_MOST_OF = 0.6  # of the terms
_MOST_CLAUSES = 50  # of a sentence


def differences(claim: str, evidence: str, around: str = "") -> list[Difference]:
    """What the claim states and the evidence doesn't. Names may also stand in what is around it:
    its passage, the headings above, the title.
    """
    found = [*_quantities(claim, evidence), *_names(claim, f"{evidence}\n{around}")]
    if _denies_otherwise(claim, evidence):
        negation = _DENIES.search(claim)
        found.append(Difference(Kind.NEGATION, negation[0] if negation else ""))
    return found


def _denies_otherwise(claim: str, evidence: str) -> bool:
    """Whether one of them denies what the other says. A clause of the evidence that says something
    else may deny that.
    """
    ours, theirs = _clauses(claim), _clauses(_nearest(claim, evidence))
    said = frozenset(content_terms(_DENIES.sub(" ", claim)))
    near = [clause for clause in theirs if _is_said(clause, said)]
    denied = sum(map(denies, ours))
    if not near:
        return denied > 0 and not any(map(denies, theirs))
    return denied != sum(map(denies, near))


def _clauses(text: str) -> list[str]:
    return _CLAUSES.split(_NO_DENIAL.sub(" ", text))[:_MOST_CLAUSES]


def _is_said(clause: str, said: frozenset[str]) -> bool:
    """Whether a clause says most of these terms, or they most of the clause, denials aside."""
    terms = frozenset(content_terms(_DENIES.sub(" ", clause)))
    same = len(terms & said)
    return same > _MOST_OF * min(len(terms), len(said))


def denies(text: str) -> bool:
    """Whether a text denies something: an odd number of times, for two undo each other. "No," at
    its beginning and "not only" don't, and "neither ... nor" does once.
    """
    plain = _NO_DENIAL.sub(" ", text)
    return len(_DENIES.findall(plain)) % 2 == 1


def _nearest(claim: str, evidence: str) -> str:
    """Of several sentences the one that has most of the claim's terms: another may deny
    something else.
    """
    wanted = frozenset(analyse(claim))
    texts = [evidence[span.start : span.end] for span in sentences(evidence)]
    return max(texts, key=lambda text: len(wanted & frozenset(analyse(text))), default="")


def _quantities(claim: str, evidence: str) -> Iterator[Difference]:
    known = quantities(evidence)
    stated: Counter[tuple[str, Decimal]] = Counter()
    for one in quantities(claim):
        same = [other for other in known if one.agrees_with(other)]
        stated[one.kind, one.value] += 1
        too_often = stated[one.kind, one.value] > len(same)
        if not same or too_often or _is_of_another(one, claim, same, known, evidence):
            yield Difference(_kind(one, known), claim[one.start : one.end])


def _is_of_another(
    one: Quantity, claim: str, same: Sequence[Quantity], known: Sequence[Quantity], evidence: str
) -> bool:
    """Whether the same quantity stands in the evidence beside other words, and beside the words
    that this one stands beside another quantity.
    """
    beside = _beside(one, claim)
    if not beside or any(beside & _beside(other, evidence) for other in same):
        return False
    others = [other for other in known if other.kind == one.kind and not one.agrees_with(other)]
    return any(beside & _beside(other, evidence) for other in others[:_MOST])


def _beside(one: Quantity, text: str) -> frozenset[str]:
    """The word before a quantity and the one behind it, or two characters of Chinese."""
    before = _BEFORE.search(text[max(0, one.start - _NEAR) : one.start])
    after = _AFTER.match(text, one.end, one.end + _NEAR)
    sides = (("<", before), (">", after))
    words = [(side, found[1]) for side, found in sides if found]
    # "May" is a month, "may" says nothing.
    return frozenset(side + word.lower() for side, word in words if word not in FUNCTION_WORDS)


def _kind(one: Quantity, known: list[Quantity]) -> Kind:
    """A number that is there with another unit differs in the unit."""
    if one.kind and any(one.number == other.number for other in known):
        return Kind.UNIT
    return Kind.DATE if one.is_date else Kind.NUMBER


def _names(claim: str, known: str) -> Iterator[Difference]:
    plain = _plain(known)
    for run in _CHINESE.findall(claim):
        for strange in _strange(run, plain):
            yield Difference(Kind.NAME, strange)
    for found in _FOREIGN.finditer(claim):
        if any(part not in plain for part in _surely_of(found[0])):
            yield Difference(Kind.NAME, found[0])
    for pattern in (_NAME, _LATIN) if _CHINESE.search(claim) else (_NAME,):
        for found in pattern.finditer(claim):
            name = next(filter(None, found.groups()), found[0])
            if name not in _NO_NAMES and _stem(name) not in plain:
                yield Difference(Kind.NAME, name)


def _surely_of(name: str) -> list[str]:
    """The parts of a name with dots in it, without what may stand before and after it."""
    first, *middle, last = name.split("·")
    return [first[-_SURE:], *middle, last[:_SURE]]


def _strange(run: str, known: str) -> Iterator[str]:
    """The parts of a run of Chinese whose characters don't stand in what is known."""
    marked = "".join(
        character if character not in known and character not in _PARTICLES else " "
        for character in run
    )
    return (part for part in marked.split() if len(part) >= _STRANGE)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _stem(name: str) -> str:
    """A name without its genitive: French is in "France's" only by its own letters."""
    return re.sub(r"'s?$", "", _plain(name))
