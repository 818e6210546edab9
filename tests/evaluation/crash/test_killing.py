"""The counting behind a crash test: that it can fail."""

import json
from pathlib import Path

from evaluation.crash.killing import _again


def write(path: Path, *batches: str) -> Path:
    """A log of batches, each a word whose letters are texts."""
    path.with_suffix(".embedded").write_text("".join(json.dumps([*b]) + "\n" for b in batches))
    return path


def test_what_was_in_hand_at_a_kill_may_be_embedded_again(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "abc", "def", "gh")
    wild = write(tmp_path / "wild", "abc", "def", "de", "gh")
    assert _again(calm, wild, [2]) == (10, 2, 2)


def test_what_was_kept_long_before_may_not(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "abcdefgh")
    wild = write(tmp_path / "wild", "ab", "cd", "ef", "g", "h", "ab")
    assert _again(calm, wild, [5]) == (10, 2, 0)
    assert _again(calm, wild, []) == (10, 2, 0)


def test_what_is_embedded_twice_anyway_is_not_again(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "ab", "a")
    assert _again(calm, write(tmp_path / "wild", "a", "ba"), [1]) == (3, 0, 0)
    assert _again(calm, write(tmp_path / "lost", "a", "a", "a", "b"), [1]) == (4, 1, 1)
