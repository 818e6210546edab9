"""Whatever Markdown a model writes: each doubtful sentence is seen to be doubtful, no other is."""

import re
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from api.rendering import to_html
from retrieval.marks import Claims, Words
from retrieval.types import Answer, Citation, Outcome, Statement, Usage

# Each 가 becomes a letter that no other place has.
FRAGMENTS = [
    *(
        "가가",
        "가",
        " 가가",
        "가. ",
        "가! 가",
        ".",
        ". ",
        ": ",
        "“가”",
        "👍",
        "가\u0301",
        "24.",
        "A",
    ),
    *("**", "*", "***", "_", "`", "``", "~~", "\\", "\\*", "\\|", "\\가", "&amp;", "&eacute;"),
    *("&lt;b&gt;", "<b>", "[가](http://x.y)", "![가](x)", "<http://x.y>", "[가]: x\n", "a[1]"),
    *("\n", "\n\n", "\r\n", "\r", "\0", "\t", "\u2028", "\n\f\n", "  \n", "\\\n", "    "),
    *("\n- ", "\n1. ", "\n1. 2. ", "\n> ", "\n# ", " #\n", "\n===\n", "\n---\n", ">" * 25),
    *("\n| 가가 | 가. 가 |\n|---|---|\n| ", "\n가 | 가\n--|--\n", " | ", "|\n", "\n가\n|--|\n"),
    *("\n```\n", "\n```python\n", "\n~~~ 가가\n", "\n````가 가. 가\n", "[1]", " [3]"),
    " 가가 is a line that is long enough to be wrapped by hand ",
]
TAGS = frozenset(
    "p br hr h4 ul ol li blockquote pre code em strong s sup a span div "
    "table thead tbody tr th td".split()
)
DOUBTS = {"unsupported", "contradicted"}
NOTES = tuple(Citation(number, "d", "v", "u", "t", 0, 1, "q", None, True, 1.0) for number in (1, 2))


def numbered(text: str) -> str:
    letters = count(ord("가"))
    return re.sub("가", lambda _: chr(next(letters)), text)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """An answer as it is written: what says nothing is no statement, and marks are behind."""
    said = numbered("".join(draw(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=16))))
    claims, text, statements = Claims(), "", list[Statement]()
    for one in [*claims.add(said), *claims.end()]:
        if isinstance(one, Words):
            text += one.text
            continue
        outcome = draw(st.sampled_from(Outcome))
        markers = (1, 2) if outcome is Outcome.VERIFIED else ()
        if not one.is_silent:
            statements.append(Statement(one.text, outcome, markers))
            text += one.unsaid + (" [1][2]" if markers else "") + one.trail
        else:
            text += one.unsaid + one.trail
    usage = Usage(1, 1)
    told = tuple(statements)
    return Answer("q", text, NOTES, (), told, (), False, 0.9, "llama", usage, {})


def letters_of(shown: html.HtmlElement) -> dict[str, str | None]:
    """Each letter that is seen, and the class of the span that it stands in."""
    found: dict[str, str | None] = {}
    for text in shown.xpath(".//text()"):
        parent = text.getparent() if text.is_text else text.getparent().getparent()
        spans = parent.xpath("ancestor-or-self::span/@class")
        assert len(spans) <= 1
        found.update(dict.fromkeys(text, spans[0] if spans else None))
    return found


@settings(max_examples=200)
@given(answers())
def test_doubtful_sentences_are_marked_and_no_others(answer: Answer) -> None:
    shown = html.fragment_fromstring(to_html(answer), create_parent="div")
    letters = letters_of(shown)
    blocks = shown.xpath(".//*[@class][not(self::span or self::a)]/@class")
    for statement in answer.statements:
        own = [letter for letter in statement.text if "가" <= letter <= "힣"]
        doubt = None if statement.outcome is Outcome.VERIFIED else statement.outcome
        seen = {letters[letter] for letter in own if letter in letters}
        assert seen <= {doubt}
        if doubt and not seen and not re.search(r"[A-Za-z0-9]", statement.text):
            assert blocks


@settings(max_examples=200)
@given(answers())
def test_nothing_but_what_is_allowed_becomes_markup(answer: Answer) -> None:
    shown = html.fragment_fromstring(to_html(answer), create_parent="div")
    for element in shown.iter():
        assert element.tag in TAGS
        for name, value in element.attrib.items():
            if element.tag == "a":
                assert (name, value) in {
                    ("class", "mark"),
                    ("href", "#note-1"),
                    ("href", "#note-2"),
                }
            else:
                assert (element.tag, name) == ("ol", "start") or (
                    name == "class" and value in DOUBTS
                )
