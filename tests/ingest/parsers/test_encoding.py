import pytest

from ingest.errors import DamagedDocument, UnsupportedMedia
from ingest.parsers.encoding import declared_in, decode

CHINESE = "知识库回答问题，每个句子都有脚注。我们在这里检查引文的来源。"
TRADITIONAL = "知識庫回答問題，每個句子都有腳註。我們在這裡檢查引文的來源。"
JAPANESE = "知識ベースは質問に答えます。すべての文には脚注があります。"
KOREAN = "지식 베이스는 질문에 답합니다. 모든 문장에는 각주가 있습니다."
RUSSIAN = "База знаний отвечает на вопросы, и каждое предложение имеет сноску."
GERMAN = "Die Straße führt über die Brücke; früher war sie größer als heute, sagt Müller."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (CHINESE + "\n", "utf-16-le"),
        (CHINESE + "\n", "utf-16-be"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-32"),
        (CHINESE, "gb18030"),
        (TRADITIONAL, "big5"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (KOREAN, "cp949"),
        (RUSSIAN, "cp1251"),
        (GERMAN, "cp1252"),
        (GERMAN, "latin-1"),
        ("“Quotes” aren’t Chinese — they’re typographic.", "cp1252"),
    ],
)
def test_encoding_is_found(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "a.txt") == text


def test_declared_encoding_is_read_as_browsers_do() -> None:
    assert decode("“ß”".encode("cp1252"), "a", "ISO-8859-1") == "“ß”"
    assert decode("镕".encode("gb18030"), "a", "gb2312") == "镕"


def test_valid_utf8_overrules_a_wrong_declaration() -> None:
    assert decode(CHINESE.encode(), "a", "gb2312") == CHINESE


@pytest.mark.parametrize("declared", ["unicode_escape", "rot13", "no-such", "utf\0-8", ""])
def test_declared_nonsense_is_ignored(declared: str) -> None:
    assert decode(GERMAN.encode("cp1252"), "a", declared) == GERMAN


@pytest.mark.parametrize(
    "page",
    [
        b'<meta charset="gbk">',
        b"<META http-equiv=Content-Type content='text/html; charset=gbk'>",
        b"<?xml version='1.0' encoding='gbk'?><html>",
    ],
)
def test_declaration_of_a_page(page: bytes) -> None:
    assert declared_in(page) == "gbk"


@pytest.mark.parametrize("data", [bytes(range(256)) * 4, b"\x01\x02\x03\x80\x81" * 50])
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match="binary"):
        decode(data, "a.txt")


def test_a_mark_that_lies_is_refused() -> None:
    with pytest.raises(DamagedDocument, match="utf-8"):
        decode(b"\xef\xbb\xbf" + b"\xff\xfe" * 30, "a.txt")
