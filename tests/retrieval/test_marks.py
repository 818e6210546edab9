from hypothesis import given
from hypothesis import strategies as st

from retrieval.marks import Claim, Claims

ANSWER = (
    "The warranty lasts 24 months [1]. Batteries are covered for six months. [2][3] "
    "It weighs 12.5 kg【4】.\n\n- No mark here.\n运费险的理赔时限是七天[1, 2]。由卖家承担。[5]"
)
CLAIMS = [
    Claim("", "The warranty lasts 24 months.", " ", (1,)),
    Claim("", "Batteries are covered for six months.", " ", (2, 3)),
    Claim("", "It weighs 12.5 kg.", "\n\n", (4,)),
    Claim("", "- No mark here.", "\n", ()),
    Claim("", "运费险的理赔时限是七天。", "", (1, 2)),
    Claim("", "由卖家承担。", "", (5,)),
]


def cut(text: str, sizes: list[int]) -> list[Claim]:
    claims, found, at = Claims(), [], 0
    for size in sizes:
        found.extend(claims.add(text[at : at + size]))
        at += size
    return [*found, *claims.add(text[at:]), *claims.end()]


def test_sentences_and_the_sources_they_name() -> None:
    assert cut(ANSWER, []) == CLAIMS


@given(st.lists(st.integers(1, 12), max_size=60))
def test_it_does_not_matter_how_the_answer_comes(sizes: list[int]) -> None:
    assert cut(ANSWER, sizes) == CLAIMS


def test_a_sentence_is_given_when_the_next_one_begins() -> None:
    claims = Claims()
    assert claims.add("It is so. ") == []
    assert claims.add("[1") == []
    assert claims.add("] A") == [Claim("", "It is so.", " ", (1,))]
    assert claims.end() == [Claim("", "A", "", ())]
    assert claims.end() == []


def test_what_is_not_a_mark_stays() -> None:
    (claim,) = cut("See [the manual] and a[i] of [2026-01-01] and [12345].", [])
    assert claim.text == "See [the manual] and a[i] of [2026-01-01] and [12345]."
    assert claim.marks == ()


def test_marks_alone_are_no_sentence() -> None:
    assert cut("[1]", []) == [Claim("", "", "", (1,))]
