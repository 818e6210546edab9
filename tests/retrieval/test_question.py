import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.question import Terms, content_terms, names, numbers, weigh


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How long is the warranty of the Kestrel?", {"warranti", "kestrel"}),
        ("Is the long warranty free?", {"long", "warranti", "free"}),
        ("What does E-4012 mean?", {"e4012", "e", "4012", "mean"}),
        ("运费险由谁承保？", {"运", "费", "险", "运费", "费险", "由", "险由", "承", "保", "承保"}),
        ("请问怎么退货", {"退", "货", "退货"}),
        ("Who are you?", {"who", "are", "you"}),
        ("什么？", {"什", "么", "什么"}),
    ],
)
def test_what_is_asked_about_without_the_words_that_ask(question: str, asked: set[str]) -> None:
    terms = content_terms(question)
    assert set(terms) == asked
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize(
    ("question", "of_numbers", "of_names"),
    [
        ("What is the seal of crate 34035 in Jortorgil?", {"34035"}, {"jortorgil"}),
        ("Is error E-4012 (v2.1) of an M2 2,000 days old?", {"4012", "2.1", "m2", "2000"}, {"e"}),
        ("Who is Ada? Did Charles ask?", set(), {"ada", "charl"}),
        ("Who am I?", set(), set()),
        ("储物柜34035号的密码是什么？", {"34035"}, set()),
    ],
)
def test_numbers_and_names_tell_which_one_is_asked_about(
    question: str, of_numbers: set[str], of_names: set[str]
) -> None:
    assert numbers(question) == of_numbers
    assert names(question) == of_names


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50), min_size=1))
def test_weights_sum_to_one_and_rare_terms_weigh_more(frequencies: dict[str, int]) -> None:
    terms = weigh(list(frequencies), frequencies, 50)
    assert math.isclose(sum(terms.weights.values()), 1.0, abs_tol=1e-9)
    for one, n in frequencies.items():
        for other, m in frequencies.items():
            assert n > m or terms.weights[one] >= terms.weights[other]


def test_a_term_that_is_nowhere_still_counts() -> None:
    terms = weigh(["known", "unknown"], {"known": 10}, 10)
    assert terms.weights["unknown"] > terms.weights["known"] > 0
    assert weigh([], {}, 0) == Terms({})
    assert weigh(["a"], {"a": 9}, 3).weights == {"a": 1.0}


def test_coverage_is_the_share_of_the_weight() -> None:
    terms = Terms({"a": 0.7, "b": 0.3})
    assert [terms.coverage(said) for said in ({"a", "b", "c"}, {"b"}, set())] == [1.0, 0.3, 0]
