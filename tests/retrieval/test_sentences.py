import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.sentences import sentences

PIECES = st.sampled_from(
    "Zebra/A/é/🙂/第一/“你好。”/3.5/- item/# H/| a | b |/Dr. /v. /e.g. /1. /p. 3/. /? /。/！/…/」/ "
    "/\t/\n/\n\n/\u3000".split("/")
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_sentences_hold_everything_once_and_in_order(text: str) -> None:
    found = sentences(text)
    at = 0
    for start, end in found:
        assert not text[at:start].strip()
        assert start < end
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    "expected",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["Dr. Smith met J. R. Jones at 5 p.m. on 3.5 km.", "They left."],
        ["The court decided Eldred v. Ashcroft in 2003.", "It was clear."],
        ["See fig. 3, p. 12 and cf. sec. 4.", "Then stop."],
        ["He said “Go.”", "She went."],
        ["It costs $3.50 in the U.S. market.", "Prices vary."],
        ["Is it e.g. this?", "No."],
        ["It ended... then went on.", "Good."],
        ["1. Introduction follows here.", "More."],
    ],
)
def test_english(expected: list[str]) -> None:
    text = " ".join(expected)
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["运费险由禾安承保。", "不满的，自己买！", "可以吗？", "可以"],
        ["他说：“明天来。”", "然后走了。"],
        ["版本3.5已发布。", "共2.5公里。"],
        ["「はい。」と言った。", "次の文です。"],
        ["買う！", "売る？！", "待つ。"],
    ],
)
def test_chinese_and_japanese_need_no_space(expected: list[str]) -> None:
    text = "".join(expected)
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- one\n- two", ["- one", "- two"]),
        ("# Title\nText goes on.", ["# Title", "Text goes on."]),
        ("| a | b. c |\n| d | e |", ["| a | b. c |", "| d | e |"]),
        ("A heading\n\nText.", ["A heading", "Text."]),
        (
            "A line that is wrapped where the column ends, as\nplain text is. Next.",
            ["A line that is wrapped where the column ends, as\nplain text is.", "Next."],
        ),
        ("一、总则\n第一条 内容。", ["一、总则", "第一条 内容。"]),
        ("", []),
        (" \n\u3000\n", []),
    ],
)
def test_lines_that_mean_something(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected
