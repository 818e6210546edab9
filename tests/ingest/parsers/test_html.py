import pytest

from ingest.errors import DamagedDocument, EmptyDocument
from ingest.parsers import parse
from tests.ingest.parsers.builders import headings_of, text_of

PAGE = """<!DOCTYPE html><html><head><title> The &amp; page </title><style>p{}</style></head><body>
<nav>Home | About</nav><script>var secret = 1;</script>
<h1>Main <em>title</em></h1><p>One
two&nbsp;&nbsp; three<br>four.</p>
<ul><li>alpha<li>beta<ol start=3><li>deep</ol></ul>
<table><tr><th>Year<th>Sales</tr><tr><td><p>2024</p><p>Q1</p><td><td>17</tr></table>
<pre>  code
    kept</pre>
<h2>Next</h2><p hidden>no</p><div style="color:red; display : none">no</div>
<p aria-hidden="true">no</p><footer>imprint</footer></body></html>"""

TEXT = """\
Main title

One two three
four.

- alpha
- beta
  3. deep
Year | Sales
2024 Q1 | 17

  code
    kept

Next"""


def test_page_becomes_its_main_text() -> None:
    assert text_of(PAGE, "a.html") == TEXT


def test_headings_and_title() -> None:
    parsed = parse(PAGE.encode(), "a.html")
    assert headings_of(parsed) == [(1, "Main title"), (2, "Next")]
    assert parsed.title == "The & page"


def test_main_part_is_preferred_if_substantial() -> None:
    aside = "<div>Advertising and links that surround it.</div>"
    long = f"<main>{'The text itself. ' * 20}</main>"
    assert "Advertising" not in text_of(f"<html>{aside}{long}", "a.html")
    assert "Advertising" in text_of(f"<html>{aside}<main>Tiny.</main>", "a.html")


def test_page_of_chrome_alone_is_still_text() -> None:
    assert text_of("<html><footer>Only this</footer>", "a.html") == "Only this"


def test_layout_tables_are_read_as_text() -> None:
    page = "<html><table><tr><td><h2>Head</h2><p>Text</p></td><td><p>Side</p></td></tr></table>"
    assert text_of(page, "a.html") == "Head\n\nText\n\nSide"


def test_charset_is_honoured() -> None:
    page = '<html><meta charset="shift_jis"><p>表示</p>'
    assert text_of(page.encode("shift_jis"), "a.html") == "表示"


def test_deep_nesting() -> None:
    assert text_of("<html>" + "<div>" * 1000 + "deep", "a.html") == "deep"
    with pytest.raises(DamagedDocument, match="nests too deeply"):
        parse(b"<html>" + b"<div>" * 100_000 + b"deep", "a.html")


@pytest.mark.parametrize("page", ["<html>", "<html><script>x</script>", "<html><!-- x -->"])
def test_page_without_text_is_empty(page: str) -> None:
    with pytest.raises(EmptyDocument):
        parse(page.encode(), "a.html")
