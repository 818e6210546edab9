"""A folder and its mirror."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest import mirroring, sources
from ingest.errors import DamagedDocument, SourceNotFound
from ingest.folder import Report
from ingest.mirroring import Mirror
from ingest.sources import Patterns
from ingest.types import Source
from retrieval.errors import InvalidRequest, StoreUnavailable
from tests.ingest.parsers.test_formats import zipped
from tests.ingest.workshop import SOON, Workshop, note


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_text("# One\n\nZebra.")
    (folder / "deep" / "b.md").write_text("# Two\n\nLion.")
    return folder


def mirror_of(shop: Workshop, folder: Path) -> Mirror:
    return Mirror(shop.engine, shop.pipeline(), "docs", folder, Patterns())


def quietly(*_: int) -> None:
    pass


def names(shop: Workshop) -> list[str]:
    return sorted(one.uri.rpartition("/")[2] for one in shop.engine.documents.list(shop.kb, 99))


def test_it_follows_what_is_added_changed_and_deleted(shop: Workshop, folder: Path) -> None:
    mirror = mirror_of(shop, folder)
    report, forgotten = mirror.update(quietly)
    assert (dict(report.counts()), forgotten) == ({"added": 2}, 0)
    (folder / "a.md").write_text("# One\n\nTiger.")
    (folder / "deep" / "b.md").unlink()
    (folder / "c.md").write_text("# Three\n\nPanther.")
    report, forgotten = mirror.update(quietly)
    assert (dict(report.counts()), forgotten) == ({"updated": 1, "added": 1}, 1)
    assert names(shop) == ["a.md", "c.md"]
    assert (shop.found("zebra"), shop.found("lion")) == ([], [])
    assert mirror.update(quietly)[0].rows == ()


def test_what_has_not_changed_costs_nothing_in_the_next_process(
    shop: Workshop, folder: Path
) -> None:
    mirror_of(shop, folder).update(quietly)
    parsed = shop.parser.calls
    report, forgotten = mirror_of(shop, folder).update(quietly)
    assert (dict(report.counts()), forgotten) == ({"unchanged": 2}, 0)
    assert shop.parser.calls == parsed


def test_a_renamed_file_is_embedded_only_where_its_title_is_its_name(
    shop: Workshop, folder: Path
) -> None:
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    embedded = len(shop.backend.embedded)
    (folder / "a.md").rename(folder / "deep" / "renamed.md")
    report, forgotten = mirror.update(quietly)
    assert (dict(report.counts()), forgotten) == ({"added": 1}, 1)
    assert len(shop.backend.embedded) == embedded
    assert names(shop) == ["b.md", "renamed.md"]
    assert shop.found("zebra")[0].endswith("renamed.md")


def test_equal_files_are_both_mirrored(shop: Workshop, folder: Path) -> None:
    (folder / "copy.md").write_bytes((folder / "a.md").read_bytes())
    mirror_of(shop, folder).update(quietly)
    assert names(shop) == ["a.md", "b.md", "copy.md"]


def test_documents_from_elsewhere_stay(shop: Workshop, folder: Path) -> None:
    shop.ingest(note("mine", "Leopard."))
    mirror = mirror_of(shop, folder / "deep")
    mirror.update(quietly)
    (folder / "deep" / "b.md").rename(folder / "deep" / "c.md")
    mirror.update(quietly)
    assert names(shop) == ["c.md", "mine"]


def test_files_of_an_archive_go_with_it(shop: Workshop, folder: Path) -> None:
    (folder / "all.zip").write_bytes(zipped({"x.md": "Lynx.", "y.md": "Ounce."}))
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    assert names(shop) == ["a.md", "b.md", "x.md", "y.md"]
    (folder / "all.zip").unlink()
    assert mirror.update(quietly)[1] == 2
    assert names(shop) == ["a.md", "b.md"]


def test_a_folder_that_is_suddenly_empty_is_not_believed(shop: Workshop, folder: Path) -> None:
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    for path in [*folder.rglob("*.md")]:
        path.unlink()
    with pytest.raises(InvalidRequest, match="mounted"):
        mirror.update(quietly)
    assert len(names(shop)) == 2
    believing = Mirror(shop.engine, shop.pipeline(), "docs", folder, Patterns(), may_empty=True)
    assert believing.update(quietly)[1] == 2
    assert names(shop) == []
    with pytest.raises(SourceNotFound):
        mirror_of(shop, folder / "nowhere").update(quietly)


def test_files_that_left_an_archive_are_forgotten(shop: Workshop, folder: Path) -> None:
    path = folder / "all.zip"
    path.write_bytes(zipped({"x.md": "Lynx.", "y.md": "Ounce."}))
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    path.write_bytes(zipped({"x.md": "Lynx."}))
    assert mirror.update(quietly)[1] == 1
    assert names(shop) == ["a.md", "b.md", "x.md"]
    path.write_bytes(b"PK\x03\x04 half of it")
    report, forgotten = mirror.update(quietly)
    assert (report.failed, forgotten) == (1, 0)
    assert names(shop) == ["a.md", "b.md", "x.md"]


@pytest.mark.parametrize("fault", ["list", "look"])
def test_what_cannot_be_looked_at_is_not_gone(
    shop: Workshop, folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    (folder / "a.md").unlink()
    real_list, real_look = Path.iterdir, Path.is_dir

    def unlisted(path: Path) -> Iterator[Path]:
        if path == folder / "deep":
            raise PermissionError(13, "Permission denied")
        return real_list(path)

    def unseen(path: Path) -> bool:
        if path.parent == folder / "deep":
            raise PermissionError(13, "Permission denied")
        return real_look(path)

    with monkeypatch.context() as patched:
        if fault == "list":
            patched.setattr(Path, "iterdir", unlisted)
        else:
            patched.setattr(Path, "is_dir", unseen)
        report, forgotten = mirror.update(quietly)
    assert forgotten == 1
    [row] = report.rows
    assert row.error and ("Permission denied" in row.error or "it is a folder" in row.error)
    assert names(shop) == ["b.md"]
    assert dict(mirror.update(quietly)[0].counts()) == {"unchanged": 1}
    (folder / "deep" / "b.md").unlink()
    (folder / "c.md").write_text("Tiger.")
    assert mirror.update(quietly)[1] == 1


def test_what_may_pass_is_tried_again_and_what_cannot_is_not(shop: Workshop, folder: Path) -> None:
    shop.parser.error = StoreUnavailable("disk full")
    mirror = mirror_of(shop, folder)
    assert mirror.update(quietly)[0].failed == 2
    shop.parser.error = DamagedDocument("bad")
    assert mirror.update(quietly)[0].failed == 2
    shop.parser.error = None
    assert mirror.update(quietly)[0].rows == ()
    (folder / "a.md").write_text("# One\n\nMended.")
    assert dict(mirror.update(quietly)[0].counts()) == {"added": 1}


def test_a_file_that_goes_while_it_is_read_is_only_its_own_failure(
    shop: Workshop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sources.read

    def vanishing(path: Path, limit: int) -> Source:
        if path.name == "a.md":
            path.unlink(missing_ok=True)
        return real(path, limit)

    monkeypatch.setattr(sources, "read", vanishing)
    mirror = mirror_of(shop, folder)
    report, _ = mirror.update(quietly)
    assert dict(report.counts()) == {"failed": 1, "added": 1}
    assert mirror.update(quietly)[0].rows == ()


def test_a_link_is_where_it_lies_and_goes_when_it_goes(shop: Workshop, folder: Path) -> None:
    (folder / ".elsewhere.md").write_text("Leopard.")
    (folder / "link.md").symlink_to(folder / ".elsewhere.md")
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    assert names(shop) == ["a.md", "b.md", "link.md"]
    (folder / "link.md").unlink()
    assert mirror.update(quietly)[1] == 1


def test_a_link_to_a_file_outside_is_not_mirrored(
    shop: Workshop, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("Leopard.")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    mirror_of(shop, folder).update(quietly)
    assert names(shop) == ["a.md", "b.md"]


def test_a_folder_that_is_followed_is_looked_at_now_and_then_too(
    shop: Workshop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "_LOOK", 50)
    shop.parser.error = StoreUnavailable("disk full")
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    stop = threading.Event()
    told: list[dict[str, int]] = []

    def tell(report: Report, _forgotten: int) -> None:
        told.append(dict(report.counts()))
        if shop.parser.error is None:
            stop.set()

    with ThreadPoolExecutor(1) as threads:
        following = threads.submit(mirror.follow, stop, tell, quietly)
        while shop.parser.calls < 8:
            time.sleep(0.01)
        shop.parser.error = None
        following.result(SOON)
    assert told == [{"failed": 2}, {"added": 2}]


def test_a_folder_is_followed(shop: Workshop, folder: Path) -> None:
    mirror = mirror_of(shop, folder)
    mirror.update(quietly)
    stop, seen = threading.Event(), threading.Event()

    def told(report: Report, _forgotten: int) -> None:
        if any(row.name == "new.md" for row in report.rows):
            seen.set()

    with ThreadPoolExecutor(1) as threads:
        following = threads.submit(mirror.follow, stop, told, quietly)
        number = 0
        while not seen.wait(0.5):  # the watcher may not be there yet at the first write
            number += 1
            (folder / "new.md").write_text(f"Panther {number}.")
            assert number < 60
        stop.set()
        following.result(SOON)
    assert "new.md" in names(shop)
