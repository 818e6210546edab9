from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.splitting import split
from retrieval.sentences import Span

FAMILY = "👨‍👩‍👧‍👦"
TEXTS = st.text(st.sampled_from("ab,;:. \n\t，、；。！？字本の\u0301\ufe0f\u200d👩𠀀"), max_size=60)


def parts(text: str, limit: int) -> list[str]:
    """The parts of a text that hold at most `limit` code points each."""
    spans = split(text, Span(0, len(text)), lambda part: len(part) <= limit)
    return [text[span.start : span.end] for span in spans]


def dense(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=200)
@given(TEXTS, st.integers(0, 20))
@example("a,b", 0)
@example("ab;", 0)
@example("e" + "\u0301" * 40, 8)
def test_parts_fit_follow_each_other_and_hold_all_but_white_space(text: str, limit: int) -> None:
    spans = list(split(text, Span(0, len(text)), lambda part: len(part) <= limit))
    found = [text[span.start : span.end] for span in spans]
    assert "".join(map(dense, found)) == dense(text)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert all(part == part.strip() and len(part) <= max(1, limit) for part in found)


def test_a_span_is_cut_in_its_own_bounds() -> None:
    text = "outside inside outside"
    assert list(split(text, Span(7, 15), lambda _: True)) == [Span(8, 14)]


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_white_space_has_no_parts(text: str) -> None:
    assert parts(text, 1) == []


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two three\nfour five six", 20, ["one two three", "four five six"]),
        ("one, two; three four five", 20, ["one, two;", "three four five"]),
        ("one two, three four", 12, ["one two,", "three four"]),
        ("one two three four", 12, ["one two", "three four"]),
        ("你好，世界；再见，世界", 7, ["你好，世界；", "再见，世界"]),
        ("第一句话。第二句话！", 6, ["第一句话。", "第二句话！"]),
        ("abcdefgh", 4, ["abcd", "efgh"]),
    ],
)
def test_the_best_pause_near_the_middle_is_taken(
    text: str, limit: int, expected: list[str]
) -> None:
    assert parts(text, limit) == expected


@pytest.mark.parametrize("character", ["e\u0301", FAMILY, "✈\ufe0f", "か\u3099"])
def test_a_character_is_not_parted_where_it_fits(character: str) -> None:
    found = parts(character * 31, 4 * len(character))
    assert "".join(found) == character * 31
    assert all(part.replace(character, "") == "" for part in found)


def test_one_long_word_is_cut_evenly() -> None:
    found = parts("x" * 300_000, 4_000)
    assert sum(map(len, found)) == 300_000
    assert 2_000 <= min(map(len, found)) <= max(map(len, found)) <= 4_000
