"""PPTX, EPUB, ODT, JSON, code and e-mail: the text, and where it stands."""

import zipfile
from collections.abc import Mapping
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from io import BytesIO
from unittest.mock import Mock

import pytest
from pptx import Presentation
from pptx.util import Inches

from ingest import parsers
from ingest.errors import DamagedDocument, TooLarge, UnsupportedMedia
from ingest.parsers import messages
from ingest.types import Parsed, ParseLimits


def anchored(parsed: Parsed) -> dict[str, str]:
    return {page.label: parsed.text[page.start : page.end].strip() for page in parsed.pages}


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(h.level, parsed.text[h.start : h.end]) for h in parsed.headings]


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return saved.getvalue()


def deck() -> bytes:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Results 结果"
    body = slide.placeholders[1].text_frame
    body.text = "First point"
    inner = body.add_paragraph()
    inner.text, inner.level = "A detail", 1
    slide.notes_slide.notes_text_frame.text = "Say this slowly."
    second = made.slides.add_slide(made.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    low = second.shapes.add_textbox(Inches(1), Inches(6), Inches(2), Inches(1))
    low.text_frame.text = "At the bottom"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for at, text in enumerate(("Team", "Sum", "Blues", "4")):
        table.cell(at // 2, at % 2).text = text
    saved = BytesIO()
    made.save(saved)
    return saved.getvalue()


def test_slides_are_pages_with_titles_points_tables_and_notes() -> None:
    parsed = parsers.parse(deck(), "deck.pptx")
    assert anchored(parsed) == {
        "slide 1": "Results 结果\n\nFirst point\n- A detail\n\nNotes: Say this slowly.",
        "slide 2": "Numbers\n\nTeam | Sum\nBlues | 4\nAt the bottom",
    }
    assert headings(parsed) == [(1, "Results 结果"), (1, "Numbers")]
    assert parsed.title == "Results 结果"
    assert "".join(parsed.text[p.start : p.end] for p in parsed.pages) == parsed.text


OPF = """<package xmlns="http://www.idpf.org/2007/opf">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A Book 书</dc:title></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="text/two%20.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="i" href="i.png" media-type="image/png"/>
</manifest>
<spine><itemref idref="nav"/><itemref idref="a"/><itemref idref="b"/><itemref idref="no"/></spine>
</package>"""
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)


def test_chapters_come_in_the_order_of_the_spine() -> None:
    book = zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": OPF,
            "OEBPS/nav.xhtml": "<html><body>Contents</body></html>",
            "OEBPS/text/one.xhtml": "<html><body><h1>One</h1><p>It began.</p></body></html>",
            "OEBPS/text/two .xhtml": "<html><body><h1>Two</h1><p>结束了。</p></body></html>",
        }
    )
    parsed = parsers.parse(book, "book.epub")
    assert anchored(parsed) == {"chapter 1": "One\n\nIt began.", "chapter 2": "Two\n\n结束了。"}
    assert parsed.title == "A Book 书"
    with pytest.raises(DamagedDocument, match="missing"):
        parsers.parse(zipped({"mimetype": "application/epub+zip"}), "book.epub")


def opendocument(body: str) -> bytes:
    names = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
        for n in ("office", "text", "table", "drawing")
    )
    content = (
        f"<office:document-content {names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.text"
    return zipped({"mimetype": kind, "content.xml": content})


def test_an_opendocument_text_keeps_headings_lists_and_tables() -> None:
    document = opendocument(
        '<text:h text:outline-level="2">标题</text:h>'
        '<text:p>One<text:s text:c="2"/>two<text:line-break/>three <text:span>four</text:span>.'
        "</text:p><text:list><text:list-item><text:p>point</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    parsed = parsers.parse(document, "a.odt")
    assert parsed.text == "标题\n\nOne  two\nthree four.\n\n- point\na | b"
    assert headings(parsed) == [(2, "标题")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<table:table><table:table-row><table:table-cell><text:p>Rent</text:p>"
            "<text:p>Deposit</text:p></table:table-cell><table:table-cell><text:list>"
            "<text:list-item><text:p>a</text:p></text:list-item><text:list-item><text:p>b</text:p>"
            "</text:list-item></text:list></table:table-cell></table:table-row></table:table>",
            "Rent Deposit | a b",
        ),
        (
            "<text:p>Before<drawing:frame><drawing:text-box><text:h>alpha</text:h>"
            "<text:p>beta</text:p></drawing:text-box></drawing:frame>after</text:p>",
            "Before alpha beta after",
        ),
        (
            "<text:p>The fee<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            "<text:p>Paid</text:p><text:p>monthly.</text:p></text:note-body></text:note> is due."
            "</text:p>",
            "The fee [1: Paid monthly.] is due.",
        ),
    ],
)
def test_words_of_an_opendocument_text_never_touch(body: str, text: str) -> None:
    assert parsers.parse(opendocument(body), "a.odt").text == text


@pytest.mark.parametrize("written", ["²", "٣", "-1", "", "two"])
def test_a_number_of_an_opendocument_text_that_is_none_is_one(written: str) -> None:
    document = opendocument(
        f'<text:h text:outline-level="{written}">A<text:s text:c="{written}"/>b</text:h>'
    )
    parsed = parsers.parse(document, "a.odt")
    assert headings(parsed) == [(1, "A b")]


def test_a_number_of_an_opendocument_text_that_is_too_large_is_the_largest() -> None:
    digits = "9" * 5_000
    document = opendocument(
        f'<text:h text:outline-level="{digits}">A<text:s text:c="{digits}"/>b</text:h>'
    )
    assert headings(parsers.parse(document, "a.odt")) == [(10, f"A{' ' * 100}b")]


def test_json_is_a_line_a_value_with_its_path() -> None:
    parsed = parsers.parse(
        '{"name": "Ann", "home": {"city": "北京"}, "tags": ["a", 1, true], "none": null, '
        '"jobs": [{"at": "X"}, {"at": "Y"}]}'.encode(),
        "a.json",
    )
    assert parsed.text.splitlines() == [
        "name: Ann",
        "home.city: 北京",
        "tags: a, 1, true",
        "jobs[0].at: X",
        "jobs[1].at: Y",
    ]
    assert parsed.pages == ()


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}\n'])
def test_json_records_are_pages(text: str) -> None:
    assert anchored(parsers.parse(text.encode(), "a.jsonl")) == {
        "record 1": "a: 1",
        "record 2": "a: 2",
    }


def test_what_is_no_json_is_text_with_a_warning() -> None:
    parsed = parsers.parse(b"{broken", "a.json")
    assert parsed.text == "{broken"
    assert "isn't JSON" in parsed.warnings[0]
    with pytest.raises(DamagedDocument):
        parsers.parse(b"[" * 100_000, "deep.json")


def test_code_keeps_its_indentation_and_its_lines_can_be_cited() -> None:
    source = "".join(f"def f{n}():\n    return {n}\n" for n in range(30))
    parsed = parsers.parse(source.encode(), "a.py")
    assert parsed.text == source.rstrip("\n")
    assert [page.label for page in parsed.pages] == [
        "lines 1 to 20",
        "lines 21 to 40",
        "lines 41 to 60",
    ]
    assert anchored(parsed)["lines 21 to 40"].startswith("def f10()")


def test_the_lines_of_code_are_those_an_editor_counts() -> None:
    source = "\n\n" + "x = '\x0c\u2028'\r\n" * 25 + "last = 1  # 完\r"
    parsed = parsers.parse(source.encode(), "a.py")
    lines = parsed.text.split("\n")
    assert (lines[0], lines[1], lines[27]) == ("", "", "last = 1  # 完")
    assert [page.label for page in parsed.pages] == ["lines 1 to 20", "lines 21 to 28"]
    assert anchored(parsed)["lines 21 to 28"].endswith("last = 1  # 完")


def test_a_separator_of_lines_within_a_json_value_does_not_part_records() -> None:
    parsed = parsers.parse('{"a": "x\u2028y"}\n{"a": "z"}'.encode(), "a.jsonl")
    assert len(parsed.pages) == 2
    assert parsed.warnings == ()


def test_a_message_of_nothing_but_an_attachment_is_read() -> None:
    message = EmailMessage()
    message.add_attachment(b"# Head\n\nInner.", "text", "markdown", filename="in.md")
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    assert anchored(parsed)["attachment in.md"] == "in.md\n\n# Head\n\nInner."


def letter(subject: str = "报告 Report", body: str = "Dear all,\n\nsee below.") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "张三 <z@example.com>", "b@x.org"
    message.set_content(body)
    return message


def test_a_message_says_who_and_what_and_its_text_stands_once() -> None:
    message = letter()
    message.add_alternative("<p>Dear all,</p><p>see below.</p>", subtype="html")
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    assert parsed.title == "报告 Report"
    assert parsed.text == (
        "报告 Report\n\nFrom: 张三 <z@example.com>\nTo: b@x.org\n\nDear all,\n\nsee below."
    )


def test_a_message_of_html_alone_is_read() -> None:
    message = EmailMessage()
    message["Subject"] = "Hi"
    message.set_content("<h2>News</h2><p>Good.</p>", subtype="html")
    assert parsers.parse(message.as_bytes(), "a.eml").text == "Hi\n\nNews\n\nGood."


def test_attachments_are_read_and_what_cannot_be_is_told() -> None:
    message = letter()
    message.add_attachment(b"# Head\n\nInner.", "text", "markdown", filename="in.md")
    message.add_attachment(b"{\\rtf1 x}", "text", "rtf", filename="x.rtf")
    message.add_attachment(letter("Older", "Was sent."))
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    assert anchored(parsed)["attachment in.md"] == "in.md\n\n# Head\n\nInner."
    assert "Was sent." in anchored(parsed)["attachment message.eml"]
    assert (2, "Head") in headings(parsed)
    assert parsed.warnings == ("The attachment x.rtf was left out: of a kind that isn't read",)
    assert "".join(parsed.text[p.start : p.end] for p in parsed.pages) == parsed.text


def test_many_attachments_stand_in_order_and_their_headers_are_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Mock(wraps=HeaderRegistry())
    monkeypatch.setattr(messages, "HeaderRegistry", lambda: registry)
    message = letter()
    for number in range(50):
        message.add_attachment(f"Part {number}.", filename="a.txt")
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    texts = [parsed.text[page.start : page.end].strip() for page in parsed.pages[1:]]
    assert texts == [f"a.txt\n\nPart {number}." for number in range(50)]
    assert "".join(parsed.text[page.start : page.end] for page in parsed.pages) == parsed.text
    assert registry.call_count < 20


def mixed(*parts: tuple[str, str], kind: str = "mixed") -> str:
    """A multipart of parts, each of headers and content."""
    inner = "".join(f"--{kind}\nContent-Type: {head}\n\n{text}\n" for head, text in parts)
    return f"multipart/{kind}; boundary={kind}\n\n{inner}--{kind}--"


def posted(content: str) -> Parsed:
    return parsers.parse(f"Subject: Hi\nContent-Type: {content}".encode(), "a.eml")


PICTURE = ("image/png\nContent-ID: <x@y>", "x")
ALTERNATIVES = mixed(("text/plain", "Once."), ("text/html", "<p>Once.</p>"), kind="alternative")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (mixed(("text/plain", "One."), PICTURE, ("text/plain", "Two.")), "One.\n\nTwo."),
        (mixed(("text/html", "<p>One.</p>"), ("text/plain", "Two.")), "One.\n\nTwo."),
        (mixed((ALTERNATIVES, ""), ("text/html", "<p>Foot.</p>")), "Once.\n\nFoot."),
        (mixed(("", "Once."), ("text/html", "<p>Once.</p>"), kind="alternative"), "Once."),
        (mixed(("text/html", "<p>One.</p>"), PICTURE, kind="related"), "One."),
    ],
)
def test_each_text_of_a_message_without_a_name_is_read_once(content: str, text: str) -> None:
    parsed = posted(content)
    assert (parsed.text, parsed.warnings) == (f"Hi\n\n{text}", ())


def test_parts_without_a_name_are_read_or_told_of() -> None:
    parsed = posted(
        mixed(
            ("text/plain", "Body."),
            ("text/csv", "a,b\n1,2"),
            ("text/calendar", "BEGIN:VCALENDAR"),
            ("message/delivery-status", "Status: 5.1.1"),
        )
    )
    assert list(anchored(parsed)) == ["message", "attachment attachment.csv"]
    assert parsed.warnings == (
        "The attachment attachment.calendar was left out: of a kind that isn't read",
        "The attachment attachment.delivery-status was left out: of a kind that isn't read",
    )


def test_an_attachment_within_an_alternative_is_read_without_its_text() -> None:
    rich = mixed(("text/html", "<p>Once.</p>"), ("text/csv; name=a.csv", "a,b"))
    parsed = posted(mixed(("text/plain", "Once."), (rich, ""), kind="alternative"))
    assert list(anchored(parsed)) == ["message", "attachment a.csv"]
    assert parsed.text.count("Once.") == 1


def test_messages_in_messages_end_somewhere() -> None:
    message = letter("0")
    for depth in range(1, 6):
        outer = letter(str(depth))
        outer.add_attachment(message)
        message = outer
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    assert "nested too deeply" in parsed.warnings[0]
    assert parsed.text.count("Dear all") == 4


@pytest.mark.parametrize("name", ["a.pptx", "a.xlsx", "a.epub", "a.odt", "a.docx"])
def test_a_bomb_is_refused_before_it_is_unpacked(name: str) -> None:
    kinds = {
        "a.pptx": ("ppt/x.xml", ""),
        "a.xlsx": ("xl/x.xml", ""),
        "a.docx": ("word/x.xml", ""),
        "a.epub": ("x", "application/epub+zip"),
        "a.odt": ("x", "application/vnd.oasis.opendocument.text"),
    }
    path, announced = kinds[name]
    bomb = zipped({"mimetype": announced, path: b"\0" * 50_000_000})
    with pytest.raises(TooLarge, match="more than any document does"):
        parsers.parse(bomb, name)


def test_an_archive_in_a_document_is_not_read() -> None:
    with pytest.raises(UnsupportedMedia, match="zip archive"):
        parsers.parse(zipped({"a.txt": "x"}), "a.docx", limits=ParseLimits())


def test_a_later_text_that_is_none_costs_a_warning_and_not_the_message() -> None:
    message = letter()
    message.make_mixed()
    broken = EmailMessage()
    broken.set_content(bytes(range(256)) * 8, "text", "plain", cte="base64")
    message.attach(broken)
    parsed = parsers.parse(message.as_bytes(), "a.eml")
    assert "see below" in parsed.text
    [warning] = parsed.warnings
    assert "was left out" in warning
