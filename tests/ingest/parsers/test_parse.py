import pytest

from ingest.errors import DamagedDocument, EmptyDocument, TooLarge
from ingest.parsers import FINGERPRINT, SUPPORTED, parse
from ingest.parsers import plain as plain_module
from ingest.types import ParseLimits
from tests.ingest.parsers.builders import pdf


def test_what_is_supported() -> None:
    assert {".txt", ".md", ".html", ".pdf", ".docx"} <= SUPPORTED
    assert FINGERPRINT


def test_plain_text_is_kept_line_by_line() -> None:
    parsed = parse("A line \r\nand another.\n\n\n\n\U00020000 end\n".encode(), "a.txt")
    assert parsed.text == "A line\nand another.\n\n\U00020000 end"
    assert parsed.media_type == "text/plain"


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf \n"])
def test_nothing_is_empty(data: bytes) -> None:
    with pytest.raises(EmptyDocument, match=r"a\.txt"):
        parse(data, "a.txt")


def test_limit_of_characters() -> None:
    with pytest.raises(TooLarge, match="the limit is 3"):
        parse(b"four", "a.txt", limits=ParseLimits(characters=3))


def test_a_mislabelled_file_is_read_with_a_warning() -> None:
    parsed = parse(pdf([["Body"]]), "a.txt")
    assert (parsed.text, parsed.media_type) == ("Body", "application/pdf")
    assert "a.txt is application/pdf" in parsed.warnings[0]


def test_unforeseen_failures_become_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> str:
        raise RecursionError("too deep")

    monkeypatch.setattr(plain_module, "tidy", fail)
    with pytest.raises(DamagedDocument, match="RecursionError") as caught:
        parse(b"words", "a.txt")
    assert isinstance(caught.value.__cause__, RecursionError)
