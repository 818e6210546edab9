from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.analysis import analyse

ANY_TEXT = st.text(max_size=200) | st.text(
    "aB9é中ㄅが한§.,-/'’+#@_ \u0301\u0e31\u093f", max_size=60
)
QUICK = settings(derandomize=True)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("… — !?", []),
        ("The cats were running.", ["the", "cat", "were", "run"]),
        ("naïve Ångström Łódź straße", ["naiv", "angstrom", "lodz", "strass"]),
        ("don't company's dogs' they’re", ["dont", "compani", "dog", "theyr"]),
        ("l'homme O'Brien", ["lhomm", "l", "homm", "obrien", "o", "brien"]),
        ("运费险", ["运", "费", "运费", "险", "费险"]),
        ("险", ["险"]),
        ("ﾊﾞｶ が", ["バ", "カ", "バカ", "が"]),
        ("한국", ["한", "국", "한국"]),
        ("𠀀𪜶", ["𠀀", "𪜶", "𠀀𪜶"]),
        ("ไทย", ["ไ", "ท", "ไท", "ย", "ทย"]),
        ("हिन्दी। भाषा", ["हिन्दी", "भाषा"]),
        ("за́мок Йод", ["замок", "йод"]),
        ("Ὀδυσσεύς", ["οδυσσευσ"]),
        ("用GPT-4o模型", ["用", "gpt4o", "gpt", "4o", "模", "型", "模型"]),
        ("ＧＰＴ－４ｏ", ["gpt4o", "gpt", "4o"]),
        ("12.3 1,234.56 1,234,567 12,34", ["12.3", "1234.56", "1234567", "12", "34"]),
        ("§12.3 § 4", ["§", "12.3", "§", "4"]),
        ("2020-01-02 1990–1995", ["2020-01-02", "2020", "01", "02", "1990-1995", "1990", "1995"]),
        ("ISO-9001:2015", ["iso9001:2015", "iso", "9001", "2015"]),
        ("v2.1.0 python3.11", ["v2.1.0", "v", "2.1.0", "python3.11", "python", "3.11"]),
        ("A/B R&D", ["a/b", "a", "b", "r&d", "r", "d"]),
        ("U.S.A. e.g. Ph.D", ["usa", "eg", "ph.d", "ph", "d"]),
        ("a.b@x-y.org", ["a.b@xy.org", "a", "b", "x", "y", "org"]),
        ("C++, C# F#.", ["c++", "c", "c#", "c", "f#", "f"]),
        ("C#x C++y", ["c", "x", "c", "y"]),
        (".NET ASP.NET ...and", [".net", "net", "asp.net", "asp", "net", "and"]),
        ("e-mails well-known", ["email", "e", "mail", "wellknown", "well", "known"]),
        ("snake_case __init__", ["snake_case", "snake", "case", "init"]),
        ("infor\u00admation zero\u200dwidth", ["inform", "zerowidth"]),
        ("a--b - c", ["a", "b", "c"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert analyse(text) == terms


def test_a_long_term_becomes_a_hash_of_its_own() -> None:
    ((first,), (second,)) = (analyse("a" * 101), analyse("a" * 102))
    assert len(first) == len(second) == 32
    assert first != second
    assert analyse("b" * 100) == ["b" * 100]


@given(ANY_TEXT)
@QUICK
def test_no_term_is_empty_or_holds_white_space(text: str) -> None:
    terms = analyse(text)
    assert " ".join(terms).split() == terms
    assert all(len(term) <= 100 for term in terms)


@given(ANY_TEXT)
@QUICK
def test_the_same_text_has_the_same_terms(text: str) -> None:
    assert analyse(text) == analyse(text)


@given(st.text(st.characters(max_codepoint=0x17F) | st.sampled_from("中文§αΩжЙ"), max_size=100))
@QUICK
def test_case_makes_no_difference(text: str) -> None:
    assert analyse(text.lower()) == analyse(text)
    assert analyse(text.upper()) == analyse(text)


@given(ANY_TEXT, ANY_TEXT)
@QUICK
def test_a_line_break_separates(left: str, right: str) -> None:
    assert analyse(f"{left}\n\n{right}") == analyse(left) + analyse(right)


@pytest.mark.parametrize(
    "unit",
    ["a-", "a'", "1,", "1,111", "1.", "a1", ".", "-", "\u0301", "中", "a.1", "'s", "+", "a+"],
)
def test_hostile_text_is_analysed_in_linear_time(unit: str) -> None:
    # Quadratic time would take minutes; every case takes 0.2 s at most.
    assert len(analyse(unit * 100_000)) <= 400_000


def test_threads_may_analyse_at_once() -> None:
    words = [f"running walked {n} flies" for n in range(2_000)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(analyse, words)) == [analyse(word) for word in words]
