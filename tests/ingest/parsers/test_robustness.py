"""Whatever the bytes, `parse` returns a sound document or raises an error of ingestion."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import IngestError
from ingest.parsers import SUPPORTED, parse
from ingest.types import Parsed
from tests.ingest.parsers.builders import pdf, word
from tests.ingest.parsers.test_html import PAGE

STARTS = (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf", b"---\n")
WHOLE = {
    "a.pdf": pdf([["First page", "second line"], ["Second page"]], outline=[("First page", 0)]),
    "a.docx": word(),
    "a.html": PAGE.encode(),
}


def check(parsed: Parsed) -> None:
    text = parsed.text
    assert text.strip()
    assert "\r" not in text
    text.encode()
    ends = [0, *(page.end for page in parsed.pages)]
    assert [page.start for page in parsed.pages] == ends[: len(parsed.pages)]
    assert not parsed.pages or ends[-1] == len(text)
    previous = 0
    for heading in parsed.headings:
        assert previous <= heading.start < heading.end <= len(text)
        assert heading.level >= 1
        previous = heading.end


def survive(data: bytes, name: str) -> None:
    try:
        check(parse(data, name))
    except IngestError as error:
        assert name in str(error)


@given(st.sampled_from(STARTS), st.binary(max_size=400), st.sampled_from(sorted(SUPPORTED)))
@settings(max_examples=300)
def test_arbitrary_bytes(start: bytes, rest: bytes, extension: str) -> None:
    survive(start + rest, f"a{extension}")


@given(st.text(max_size=200), st.sampled_from([".md", ".txt", ".html"]))
@settings(max_examples=300)
def test_arbitrary_text(text: str, extension: str) -> None:
    survive(text.encode("utf-8", "replace"), f"a{extension}")


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_are_sound(name: str) -> None:
    check(parse(WHOLE[name], name))


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("seed", range(40))
def test_mutated_and_truncated_files(name: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  not for secrets
    data = bytearray(WHOLE[name])
    for _ in range(dice.randint(1, 40)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    survive(bytes(data), name)
    survive(bytes(data[: dice.randrange(len(data))]), name)
