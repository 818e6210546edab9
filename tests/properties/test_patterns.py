"""Texts that a pattern could be tried on in many ways are read in the time of others."""

import time
from collections.abc import Callable

import pytest

from ingest.parsers import parse
from ingest.parsers.detection import Kind, detect
from ingest.parsers.encoding import declared_in
from ingest.parsers.pdf_hyphens import Hyphens
from retrieval.marks import Claims

SOON = 2.0  # seconds of computing; each took ten or more
SPACES = " " * 30_000


def page() -> None:
    assert detect(b"<!---->" * 140 + b"hello", "a.txt").kind is Kind.PLAIN


def heading() -> None:
    [one] = parse(f"# a{SPACES}b ##".encode(), "a.md").headings
    assert one.end == len(SPACES) + 4


def title() -> None:
    assert parse(f"---\ntitle: a{SPACES}b\n---\n".encode(), "a.md").title == f"a{SPACES}b"


def charset() -> None:
    assert declared_in(b"<meta " * 20 + b"charset=" + SPACES.encode() + b"!") is None


def hyphen() -> None:
    assert Hyphens([]).kept("a" * 30_000 + "! b-", "c") is False


def mark() -> None:
    claims = Claims()
    claims.add(f"a{SPACES}")
    claims.add("b\n\n")


@pytest.mark.parametrize("read", [page, heading, title, charset, hyphen, mark])
def test_it_takes_no_longer(read: Callable[[], None]) -> None:
    began = time.process_time()
    read()
    assert time.process_time() - began < SOON
