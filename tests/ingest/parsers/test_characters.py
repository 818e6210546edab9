import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsers.characters import canonical, is_wide, one_line, tidy


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ﬁne ﬂow eﬀect", "fine flow effect"),
        ("co\u00adoperate", "cooperate"),
        ("10\u00a0km\u202f/\u2009h", "10 km / h"),
        ("\ufeffzero\u200bwidth", "zerowidth"),
        ("a\r\nb\rc\u2028d\x0ce", "a\nb\nc\nd\ne"),
        ("e\u0301", "é"),
        ("①２３ kept", "①２３ kept"),
        ("\ud800 lone", "\ufffd lone"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\uf0b7 item", "• item"),
        ("a\U000e0049\U000e0047b", "ab"),
        ("\u845b\U000e0100", "\u845b\U000e0100"),
        ("a" + "\u200c\u200d" * 8 + "b", "ab"),
    ],
)
def test_canonical_spells_what_a_reader_sees(source: str, expected: str) -> None:
    assert canonical(source) == expected


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_canonical_text_encodes_and_is_its_own_canonical_form(source: str) -> None:
    text = canonical(source)
    text.encode()
    assert canonical(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"]


def test_tidy_keeps_one_blank_line() -> None:
    assert tidy("\n\n a  \n \t\n\n\nb\n\n") == " a\n\nb"


def test_one_line_joins_wide_script_without_spaces() -> None:
    assert one_line(" 知识\n  库 and\n more\t words ") == "知识库 and more words"


def test_wide_is_script_without_spaces() -> None:
    assert all(is_wide(each) for each in "中の，（\U00020000")
    assert not any(is_wide(each) for each in "aé한1,")


@pytest.mark.parametrize("run", [" ", "\t", "\u3000", "\n", " \n", "\xa0"])
def test_long_runs_of_spaces_take_no_longer_than_other_text(run: str) -> None:
    """A pattern that began with spaces took 25 s for 50,000 of them; these would take hours."""
    text = "a" + run * 1_000_000 + "b"
    assert tidy(text).strip("ab").strip() == ""
    assert one_line(text).startswith("a")
