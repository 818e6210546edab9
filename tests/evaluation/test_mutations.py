"""Spoilt files are the same for the same seed, and spoilt."""

from pathlib import Path

from evaluation.mutations import spoilt


def test_copies_are_spoilt_and_the_same_again(tmp_path: Path) -> None:
    for name in ("a.txt", "b.pdf"):
        (tmp_path / name).write_bytes(name.encode() * 500)
    (tmp_path / "empty.md").write_bytes(b"")
    paths = sorted(tmp_path.iterdir())
    once = list(spoilt(paths, 60, 7))
    assert once == list(spoilt(paths, 60, 7))
    assert once != list(spoilt(paths, 60, 8))
    assert {name.split("-")[1] for name, _ in once} == {
        *("cut", "beheaded", "flipped", "zeroed", "doubled", "torn", "noise")
    }
    whole = {path.name: path.read_bytes() for path in paths}
    changed = [data != whole[name.split("-", 2)[2]] for name, data in once]
    assert sum(changed) >= 38  # an empty file stays what it is
    assert all(name.endswith((".txt", ".pdf", ".md")) for name, _ in once)
