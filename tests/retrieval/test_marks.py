import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.marks import Claim, Claims, Words

ANSWER = (
    "The warranty lasts 24 months [1]. Batteries are covered for six months. [2][3] "
    "It weighs 12.5 kg【4】.\n\n- No mark here.\n运费险的理赔时限是七天[1, 2]。由卖家承担。[^5]"
)
CLAIMS = [
    ("The warranty lasts 24 months.", " ", (1,)),
    ("Batteries are covered for six months.", " ", (2, 3)),
    ("It weighs 12.5 kg.", "\n\n", (4,)),
    ("- No mark here.", "\n", ()),
    ("运费险的理赔时限是七天。", "", (1, 2)),
    ("由卖家承担。", "", (5,)),
]
FRAGMENTS = [
    *("It", " is", " 3.5", " kg", ".", " ", "\n", "\n\n", "\n- ", "\n1. ", "- ", "#", "!", "?"),
    *("[1]", " [2", "]", "[", "[see", " Mr. Smith", " e.g. this", " a.m. ", "“", "”", '"', "("),
    *(
        "。",
        "重",
        "！",
        "」と",
        "…",
        " | a | b |",
        "\n# Title\n",
        "a line that is long enough to wrap",
    ),
]


def given_out(text: str, sizes: list[int]) -> list[Words | Claim]:
    claims, found, at = Claims(), list[Words | Claim](), 0
    for size in sizes:
        found.extend(claims.add(text[at : at + size]))
        at += size
    return [*found, *claims.add(text[at:]), *claims.end()]


def claims_of(found: list[Words | Claim]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.text, one.trail, one.marks) for one in found if isinstance(one, Claim)]


def together(found: list[Words | Claim]) -> str:
    return "".join(
        one.text if isinstance(one, Words) else f"{one.unsaid}{list(one.marks)}{one.trail}"
        for one in found
    )


def shown(found: Sequence[Words | Claim]) -> str:
    return "".join(one.text if isinstance(one, Words) else one.unsaid for one in found)


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_sentences_and_the_sources_they_name() -> None:
    assert claims_of(given_out(ANSWER, [])) == CLAIMS


@given(st.lists(st.integers(1, 12), max_size=60))
def test_it_does_not_matter_how_the_answer_comes(sizes: list[int]) -> None:
    found = given_out(ANSWER, sizes)
    assert claims_of(found) == CLAIMS
    assert together(found) == together(given_out(ANSWER, []))


@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join),
    st.lists(st.integers(1, 9), max_size=60),
)
def test_nothing_is_lost_said_twice_or_taken_back(text: str, sizes: list[int]) -> None:
    found = given_out(text, sizes)
    assert squeezed(shown(found)) == re.sub(r"\[\d\]", "", squeezed(text))
    said = ""
    for one in found:
        said += shown([one])
        if isinstance(one, Claim):
            assert said.strip() == one.text
            said = ""
    assert not said


def test_words_are_given_before_their_sentence_is_whole() -> None:
    claims = Claims()
    assert claims.add("It is") == [Words("It is")]
    assert claims.add(" so") == [Words(" so")]
    assert claims.add(". ") == [Words(".")]
    assert claims.add("[1") == []
    assert claims.add("] A") == [Claim("It is so.", "", " ", (1,)), Words("A")]
    assert claims.end() == [Claim("A", "", "", ())]
    assert claims.end() == []


def test_what_may_become_a_mark_waits() -> None:
    claims = Claims()
    assert claims.add("See [the") == [Words("See")]
    assert claims.add(" manual] of") == [Words(" [the manual] of")]
    assert claims.add(" it [1]") == [Words(" it")]
    assert claims.end() == [Claim("See [the manual] of it", "", "", (1,))]


@pytest.mark.parametrize("text", ["- One\n- Two\n", "A title\n# Next\nand so on"])
def test_a_line_that_begins_an_item_is_not_given_with_the_one_before(text: str) -> None:
    assert claims_of(given_out(text, [1] * len(text))) == claims_of(given_out(text, []))


def test_all_white_space_before_a_mark_waits_with_it() -> None:
    claims = Claims()
    assert claims.add("It is\n\f\n [1]") == [Words("It is")]
    assert claims.end() == [Claim("It is", "", "", (1,))]


@pytest.mark.parametrize(
    ("text", "is_silent"),
    [
        ("|---|:-:|", True),
        ("```", True),
        ("~~~ c++", True),
        ("***", True),
        ("___", True),
        ("…", True),
        ("", True),
        ("| 9 |", False),
        ("24.", False),
        ("```so```", False),
        ("```It is so", False),
        ("是", False),
    ],
)
def test_what_only_parts_others_says_nothing(text: str, is_silent: bool) -> None:
    assert Claim(text, "", "", ()).is_silent is is_silent


def test_what_is_not_a_mark_stays() -> None:
    text = "See [the manual] and a[i] of [2026-01-01] and [12345]."
    assert claims_of(given_out(text, [])) == [(text, "", ())]


@pytest.mark.parametrize(
    ("text", "said", "marks"),
    [
        ("It is so[1].", "It is so.", (1,)),
        ("It weighs 12.5[1].", "It weighs 12.5.", (1,)),
        ("It is so [[1]].", "It is so.", (1,)),
        ("It is (so [1]].", "It is (so].", (1,)),
        ("It is so [1–3].", "It is so.", (1, 2, 3)),
        ("It is so [ 2 ] [Source: 1] [sources 4, 5].", "It is so.", (2, 1, 4, 5)),
        ("Then a[0] = b[1] and c[12].", "Then a[0] = b[1] and c[12].", ()),
        ("约[1]。", "约。", (1,)),
        ("海と[1]。", "海と。", (1,)),
        ("차[1].", "차.", (1,)),
    ],
)
def test_marks_however_they_are_written(text: str, said: str, marks: tuple[int, ...]) -> None:
    for sizes in ([], [1] * len(text)):
        found = given_out(text, sizes)
        (claim,) = (one for one in found if isinstance(one, Claim))
        assert (claim.text, claim.marks) == (said, marks)
        assert shown(found) == said


def test_marks_alone_are_no_sentence() -> None:
    assert claims_of(given_out("[1]", [])) == [("", "", (1,))]


def test_a_sentence_that_does_not_end_is_checked_in_parts() -> None:
    text = " ".join(f"word{n} [{n % 9 + 1}]" for n in range(1_000))
    found = given_out(text, [7] * (len(text) // 7))
    parts = [one for one in found if isinstance(one, Claim)]
    assert len(parts) > 4
    assert all(len(one.text) < 2_100 and one.marks for one in parts)
    assert squeezed(shown(found)) == squeezed(re.sub(r" \[\d\]", "", text))
