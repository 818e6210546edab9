import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import sources
from ingest.errors import SourceNotFound, TooLarge
from ingest.sources import Patterns


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of several kinds, hidden ones among them."""
    for name in (
        "b.md",
        "a.txt",
        "photo.jpg",
        ".hidden.md",
        "drafts/plan.md",
        "drafts/old/第一版.md",
        ".git/notes.md",
    ):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "folder"


def names(folder: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_a_folder_gives_the_kinds_that_can_be_read_in_a_fixed_order(folder: Path) -> None:
    taken, left = sources.find([folder], Patterns())
    assert names(folder, taken) == ["a.txt", "b.md", "drafts/old/第一版.md", "drafts/plan.md"]
    assert names(folder, left) == ["photo.jpg"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (Patterns(include=("*.md",)), ["b.md", "drafts/old/第一版.md", "drafts/plan.md"]),
        (Patterns(include=("*.jpg",)), ["photo.jpg"]),
        (Patterns(include=("drafts/*",)), ["drafts/old/第一版.md", "drafts/plan.md"]),
        (Patterns(include=("drafts/",)), ["drafts/old/第一版.md", "drafts/plan.md"]),
        (Patterns(include=("drafts",), exclude=("drafts/old",)), ["drafts/plan.md"]),
        (Patterns(exclude=("drafts", "?.txt")), ["b.md"]),
        (Patterns(exclude=("第*",)), ["a.txt", "b.md", "drafts/plan.md"]),
        (Patterns(include=("*.MD",)), []),
        (Patterns(include=(".hidden.md", ".git/*")), []),
    ],
)
def test_patterns_choose_and_hidden_files_never_count(
    folder: Path, patterns: Patterns, expected: list[str]
) -> None:
    taken, left = sources.find([folder], patterns)
    assert names(folder, taken) == expected
    assert not any("hidden" in path.name or ".git" in path.parts for path in left)


def test_an_extension_is_known_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "A.PDF").touch()
    assert sources.find([tmp_path], Patterns())[0] == [tmp_path / "A.PDF"]


def test_a_file_that_is_named_is_taken_whatever_it_is(folder: Path) -> None:
    named = [folder / ".hidden.md", folder / "photo.jpg"]
    assert sources.find(named, Patterns(exclude=("*",)))[0] == named


def test_a_file_that_is_given_twice_is_taken_once(folder: Path) -> None:
    taken, _ = sources.find([folder / "b.md", folder, folder / "b.md"], Patterns())
    assert names(folder, taken)[0] == "b.md"
    assert len(taken) == len(set(taken)) == 4


def test_links_to_files_within_are_taken_and_links_to_folders_are_not_followed(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.md").touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    (folder / "self.md").symlink_to(folder / "self.md")
    (folder / "gone.md").symlink_to(tmp_path / "gone")
    (folder / "link.md").symlink_to(folder / "b.md")
    taken, left = sources.find([folder], Patterns(include=("*.md",), exclude=("drafts",)))
    assert names(folder, taken) == ["b.md", "link.md"]
    assert names(folder, left) == ["a.txt", "drafts/old/第一版.md", "drafts/plan.md", "photo.jpg"]


def test_a_link_that_leads_out_of_the_folder_is_left_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").touch()
    (folder / "drafts" / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "drafts" / "on.md").symlink_to(folder / "drafts" / "out.md")
    (folder / "drafts" / "in.md").symlink_to(Path("../b.md"))
    (tmp_path / "same").symlink_to(folder)
    for walked in (folder, tmp_path / "same"):
        taken, left = sources.find([walked], Patterns(include=("drafts/*n.md", "drafts/out.md")))
        assert names(walked, taken) == ["drafts/in.md", "drafts/plan.md"]
        assert {"drafts/on.md", "drafts/out.md"} <= {*names(walked, left)}
    assert sources.find([folder / "drafts" / "out.md"], Patterns())[1] == []


def test_a_folder_that_cannot_be_listed_is_a_failure_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def locked(path: Path) -> Any:
        if path.name == "drafts":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def listed(path: Path) -> Iterator[Path]:
        return iter([path / entry.name for entry in locked(path)])

    monkeypatch.setattr(Path, "iterdir", listed)
    monkeypatch.setattr(os, "scandir", locked)
    taken, left = sources.find([folder], Patterns())
    assert names(folder, taken) == ["a.txt", "b.md", "drafts"]
    assert names(folder, left) == ["photo.jpg"]
    with pytest.raises(SourceNotFound, match=r"drafts can't be read: Permission denied"):
        sources.read(taken[-1], 100)


def test_pipes_are_not_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert sources.find([tmp_path], Patterns()) == ([], [])


@pytest.mark.parametrize("name", ["missing", "missing/a.txt", "nul\0"])
def test_a_path_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceNotFound, match="There is no file or folder"):
        sources.find([tmp_path, tmp_path / name], Patterns())


def test_a_file_is_identified_by_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "报告 1#.md"
    path.write_bytes(b"text")
    (tmp_path / "link.md").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for same in (path, Path(path.name), tmp_path / "x" / ".." / path.name):
        (tmp_path / "x").mkdir(exist_ok=True)
        source = sources.read(same, 4)
        assert (source.uri, source.name, source.data) == (path.as_uri(), path.name, b"text")
    assert sources.read(tmp_path / "link.md", 4).uri == (tmp_path / "link.md").as_uri()


def test_a_name_that_is_not_unicode_still_has_an_identity(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_bytes(b"text")
    source = sources.read(path, 4)
    assert source.uri.encode().endswith(b"/caf%E9.txt")
    assert source.name.encode().endswith(b".txt")


def test_a_file_over_the_limit_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 1_235)
    with pytest.raises(TooLarge, match=r"a\.txt has 1,235 bytes; the limit is 1,234"):
        sources.read(tmp_path / "a.txt", 1_234)


@pytest.mark.parametrize("name", [".", "missing", "loop"])
def test_what_cannot_be_read_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SourceNotFound, match="can't be read"):
        sources.read(tmp_path / name, 1_000_000)


def test_an_upload_is_identified_by_its_name() -> None:
    source = sources.upload("报告.pdf", b"%PDF", "application/pdf", {"year": 2026})
    assert (source.uri, source.name) == ("报告.pdf", "报告.pdf")
    assert (source.media_type, source.title, source.metadata) == (
        "application/pdf",
        None,
        {"year": 2026},
    )


def test_a_text_is_identified_by_its_uri() -> None:
    source = sources.text("notes/1", "第一 🙂", "Notes", None)
    assert (source.uri, source.data.decode(), source.title) == ("notes/1", "第一 🙂", "Notes")
    assert (source.media_type, source.metadata) == ("text/plain", None)
