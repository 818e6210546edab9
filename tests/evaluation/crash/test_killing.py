"""The counting behind a crash test: that it can fail."""

import json
from pathlib import Path

from evaluation.crash.killing import _again, _kept, _Kill


def write(path: Path, *batches: str) -> Path:
    """A log of batches, each a word whose letters are texts."""
    path.with_suffix(".embedded").write_text("".join(json.dumps([*b]) + "\n" for b in batches))
    return path


def kill(batches: int, kept: str) -> _Kill:
    return _Kill(batches, frozenset(kept))


def test_what_was_in_hand_at_a_kill_may_be_embedded_again(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "abc", "def", "gh")
    wild = write(tmp_path / "wild", "abc", "def", "de", "gh")
    assert _again(calm, wild, [kill(2, "abcf")]) == (10, 0, 2)


def test_what_was_kept_may_not(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "abcdefgh")
    wild = write(tmp_path / "wild", "ab", "cd", "ef", "g", "h", "ab")
    assert _again(calm, wild, [kill(5, "abcdefgh")]) == (10, 2, 0)
    assert _again(calm, wild, [kill(5, "acdefgh")]) == (10, 1, 1)
    assert _again(calm, wild, []) == (10, 2, 0)


def test_what_is_embedded_twice_anyway_is_not_again(tmp_path: Path) -> None:
    calm = write(tmp_path / "calm", "ab", "a")
    assert _again(calm, write(tmp_path / "wild", "a", "ba"), [kill(1, "")]) == (3, 0, 0)
    lost = write(tmp_path / "lost", "a", "a", "a", "b")
    assert _again(calm, lost, [kill(1, "a")]) == (4, 2, 0)


def test_a_kill_before_there_is_a_catalogue_kept_nothing(tmp_path: Path) -> None:
    assert _kept(tmp_path) == frozenset()
    (tmp_path / "catalogue.sqlite").touch()
    assert _kept(tmp_path) == frozenset()
