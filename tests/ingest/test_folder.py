import os
from pathlib import Path

import pytest

from ingest.errors import SourceNotFound
from ingest.folder import Report, ingest_paths
from ingest.sources import Patterns
from tests.ingest.workshop import Workshop

Told = tuple[int, int, int, int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files that can be read, one that is empty, one damaged, one of another kind."""
    files = {
        "a.md": b"# A\n\nZebra.",
        "b/中文.txt": "退货政策。".encode(),
        "c.txt": b"Lion.",
        "empty.txt": b"",
        "broken.pdf": b"%PDF-1.7",
        "photo.jpg": b"",
    }
    for name, data in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "folder"


def run(shop: Workshop, *paths: Path, told: list[Told] | None = None) -> Report:
    def watch(*step: int) -> None:
        if told is not None:
            told.append((step[0], step[1], step[2], step[3]))

    return ingest_paths(shop.pipeline(), shop.kb, paths, Patterns(), watch)


def test_a_bad_file_is_a_row_and_not_the_end(shop: Workshop, folder: Path) -> None:
    report = run(shop, folder)
    outcomes = [(row.name, row.outcome) for row in report.rows]
    assert outcomes == [
        ("a.md", "added"),
        ("中文.txt", "added"),
        ("broken.pdf", "failed"),
        ("c.txt", "added"),
        ("empty.txt", "failed"),
    ]
    for row in report.rows:
        if row.outcome == "failed":
            assert row.error and row.name in row.error
            assert (row.document_id, row.chunks) == (None, 0)
        else:
            assert row.error is None
            assert row.document_id and row.chunks == row.embedded == 1
    assert shop.found("zebra") == [(folder / "a.md").as_uri()]


def test_the_report_counts(shop: Workshop, folder: Path) -> None:
    report = run(shop, folder)
    assert report.counts() == {"added": 3, "failed": 2}
    assert (report.embedded, report.failed) == (3, 2)
    assert report.skipped == (str(folder / "photo.jpg"),)
    told = report.to_json()
    assert [row["path"] for row in told["files"]] == [row.path for row in report.rows]
    assert (told["counts"], told["embedded"]) == ({"added": 3, "failed": 2}, 3)
    assert told["skipped"] == list(report.skipped)


def test_a_second_run_parses_and_embeds_nothing(shop: Workshop, folder: Path) -> None:
    run(shop, folder / "a.md", folder / "b", folder / "c.txt")
    parsed, embedded = shop.parser.calls, list(shop.backend.embedded)
    report = run(shop, folder / "a.md", folder / "b", folder / "c.txt")
    assert report.counts() == {"unchanged": 3}
    assert report.embedded == 0
    assert (shop.parser.calls, shop.backend.embedded) == (parsed, embedded)


def test_a_file_that_changed_is_updated_alone(shop: Workshop, folder: Path) -> None:
    run(shop, folder)
    (folder / "c.txt").write_text("Tiger.")
    report = run(shop, folder)
    assert report.counts() == {"unchanged": 2, "updated": 1, "failed": 2}
    assert (shop.found("lion"), len(shop.found("tiger"))) == ([], 1)


def test_copies_are_ingested_once(shop: Workshop, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text("The same everywhere.")
    report = run(shop, tmp_path)
    assert report.counts() == {"added": 1, "duplicate": 11}
    assert len({row.document_id for row in report.rows}) == 1
    assert shop.engine.documents.count(shop.kb) == 1


def test_progress_adds_up(shop: Workshop, folder: Path) -> None:
    long = "\n\n".join(f"Paragraph {n}: {'words and words ' * 8}" for n in range(5))
    (folder / "long.txt").write_text(long)
    told: list[Told] = []
    report = run(shop, folder, told=told)
    chunks = sum(row.chunks for row in report.rows)
    assert chunks > 3
    assert told[-1] == (6, 6, chunks, chunks)
    assert [files for files, *_ in told] == sorted(files for files, *_ in told)
    assert all(total == 6 and done <= known for _, total, done, known in told)


def test_a_name_that_is_not_unicode_is_a_row_that_can_be_printed(
    shop: Workshop, tmp_path: Path
) -> None:
    for name, data in ((b"caf\xe9.txt", b"text"), (b"caf\xe9.pdf", b""), (b"caf\xe9.jpg", b"")):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(data)
    report = run(shop, tmp_path)
    assert {row.outcome for row in report.rows} == {"added", "failed"}
    assert "\ufffd" in str(report.to_json()).encode().decode()


def test_nothing_to_do(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    report = run(shop, tmp_path / "folder")
    assert (report.rows, report.skipped, report.counts()) == ((), (), {})


def test_a_path_that_is_not_there_ends_the_run_before_it_begins(
    shop: Workshop, folder: Path
) -> None:
    with pytest.raises(SourceNotFound, match="gone"):
        run(shop, folder, folder / "gone")
    assert shop.parser.calls == 0
