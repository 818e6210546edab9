from pathlib import Path

import pytest

from evaluation.errors import DatasetError
from evaluation.lines import numbered_lines


def test_lines_are_numbered_and_lose_only_their_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("一\r\n\n b \u2028\x85c\t\nlast".encode())
    assert list(numbered_lines(tmp_path / "a")) == [
        (1, "一"),
        (2, ""),
        (3, " b \u2028\x85c\t"),
        (4, "last"),
    ]


def test_the_line_that_is_not_unicode_is_named_after_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\n\xff\n")
    found = numbered_lines(tmp_path / "a")
    assert next(found) == (1, "one")
    with pytest.raises(DatasetError, match="a, line 2 isn't UTF-8"):
        next(found)
