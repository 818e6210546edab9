import json
import tarfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source
from retrieval.access import Scope
from retrieval.backup import Manifest, back_up
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.errors import DataDirectoryLocked, DataLost, InvalidRequest, StoreUnavailable
from retrieval.inspection import Inspection
from retrieval.keys import Allowance
from retrieval.originals import originals
from retrieval.restoring import restore
from retrieval.settings import EngineSettings
from retrieval.stores.blobs import FileBlobs
from tests.catalogues import engine_settings, on_sqlite
from tests.conftest import OpenEngine

pytestmark = on_sqlite


def _add(engine: Engine, pipeline: Pipeline, *texts: str) -> None:
    kb, _ = engine.create("kb")
    for text in texts:
        source = Source(uri=text, name=f"{text}.txt", data=f"Tea is at {text}.".encode())
        pipeline.ingest(kb, source, lambda *_: None)


def _back_up(engine: Engine, where: Path) -> Manifest:
    return back_up(engine.settings.data, engine.blobs, where, "test", 0.0, lambda _: None)


def _restore(
    where: Path, data: Path, settings: EngineSettings | None = None
) -> tuple[Manifest, Sequence[str]]:
    with closing(originals(settings or engine_settings(data))) as blobs:
        return restore(where, data, blobs, lambda _: None)


def _texts(data: Path) -> dict[str, bytes]:
    settings = engine_settings(data)
    with open_engine(settings, HashingBackend()) as engine:
        kb = engine.open("kb")
        inspected = Inspection(engine.database, engine.stores, engine.blobs)
        assert all(finding.ok for finding in inspected.inspect(repair=False))
        return {
            one.uri: engine.blobs.get(engine.documents.live_blob(kb, one.id) or "")
            for one in engine.documents.list(kb, 100)
        }


@pytest.fixture
def filled(engine: Engine, pipeline: Pipeline) -> Engine:
    _add(engine, pipeline, "four", "five")
    return engine


@pytest.mark.parametrize("name", ["folder", "file.tar"])
def test_what_is_restored_is_what_was_there(filled: Engine, tmp_path: Path, name: str) -> None:
    made = _back_up(filled, tmp_path / name)
    assert (made.documents, made.originals, made.lost) == (2, 2, ())
    assert _restore(tmp_path / name, tmp_path / "new") == (made, [])
    assert _texts(tmp_path / "new") == {"four": b"Tea is at four.", "five": b"Tea is at five."}


def test_whoever_was_signed_in_isnt_where_it_is_restored(filled: Engine, tmp_path: Path) -> None:
    key, token = filled.keys.create("laptop", Allowance(scopes=frozenset({Scope.READ})))
    secret = filled.sessions.open(key)
    _back_up(filled, tmp_path / "folder")
    _restore(tmp_path / "folder", tmp_path / "new")
    assert filled.sessions.recognised(secret) == key
    settings = engine_settings(tmp_path / "new")
    with open_engine(settings, HashingBackend()) as engine:
        assert engine.sessions.recognised(secret) is None
        assert engine.keys.recognised(token) == key


def test_a_folder_is_used_again_and_holds_no_more_than_the_last(
    filled: Engine, pipeline: Pipeline, tmp_path: Path
) -> None:
    first = _back_up(filled, tmp_path / "folder")
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "folder").glob("blobs/*/*")}
    kb = filled.open("kb")
    filled.indexer.remove(kb, next(one.id for one in filled.documents.list(kb, 1)))
    _add(filled, pipeline, "six")
    second = _back_up(filled, tmp_path / "folder")
    now = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "folder").glob("blobs/*/*")}
    assert len(now) == 2
    assert len(now.items() & kept.items()) == 1
    catalogues = [path.name for path in (tmp_path / "folder").glob("catalogue-*")]
    assert catalogues == [f"catalogue-{second.catalogue}.sqlite"]
    assert second.catalogue != first.catalogue
    _restore(tmp_path / "folder", tmp_path / "new")
    assert len(_texts(tmp_path / "new")) == 2


def test_only_the_owner_reads_it(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    _back_up(filled, tmp_path / "file.tar")
    (catalogue,) = (tmp_path / "folder").glob("catalogue-*")
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "file.tar", catalogue)]
    assert [*modes, (tmp_path / "folder").stat().st_mode & 0o777] == [0o600, 0o600, 0o700]


def test_originals_that_are_gone_are_told_and_the_rest_is_kept(
    filled: Engine, tmp_path: Path
) -> None:
    gone = next(filled.blobs.digests())
    filled.blobs.delete(gone)
    made = _back_up(filled, tmp_path / "folder")
    assert (made.documents, made.originals, made.lost) == (2, 1, (gone,))
    assert _restore(tmp_path / "folder", tmp_path / "new") == (made, [])


def test_originals_that_go_meanwhile_are_looked_for_in_a_newer_catalogue(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document is deleted after the catalogue was copied and before its bytes are."""
    kb, get, asked = filled.open("kb"), FileBlobs.get, list[str]()
    [document, _] = filled.documents.list(kb, 2)
    blob = filled.documents.live_blob(kb, document.id)

    def going(blobs: FileBlobs, digest: str) -> bytes:
        asked.append(digest)
        if digest == blob:
            if asked.count(digest) == 2:
                filled.indexer.remove(kb, document.id)
            raise DataLost("It is gone.")
        return get(blobs, digest)

    monkeypatch.setattr(FileBlobs, "get", going)
    made = _back_up(filled, tmp_path / "file.tar")
    assert (made.documents, made.lost) == (1, ())


def test_what_is_no_backup_is_not_restored(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    manifest = tmp_path / "folder" / "backup.json"
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("Tea is at four.")
    for name, said in (
        ("empty", "isn't a whole backup"),
        ("nothing.tar", "isn't a whole backup"),
        ("text.tar", r"isn't a backup of Footnote's: it is no tar file\.$"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            _restore(tmp_path / name, tmp_path / "new")
    told = json.loads(manifest.read_bytes())
    for content, said in (("[]", "no backup"), (json.dumps({**told, "format": 2}), "format 2")):
        manifest.write_text(content)
        with pytest.raises(InvalidRequest, match=said):
            _restore(tmp_path / "folder", tmp_path / "new")
    assert not (tmp_path / "new" / "catalogue.sqlite").exists()


def _damage(folder: Path, pattern: str) -> Path:
    damaged = next(folder.glob(pattern))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    return damaged


def test_a_damaged_catalogue_is_refused(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    _damage(tmp_path / "folder", "catalogue-*")
    with pytest.raises(InvalidRequest, match="damaged"):
        _restore(tmp_path / "folder", tmp_path / "new")
    assert not (tmp_path / "new" / "catalogue.sqlite").exists()


def test_originals_that_are_damaged_are_left_out_and_told(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    damaged = _damage(tmp_path / "folder", "blobs/*/*")
    _, gone = _restore(tmp_path / "folder", tmp_path / "new")
    assert gone == [damaged.name]
    with open_engine(engine_settings(tmp_path / "new"), HashingBackend()) as engine:
        assert engine.documents.count(engine.open("kb")) == 2


def test_what_was_damaged_in_a_folder_is_copied_again(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    _damage(tmp_path / "folder", "blobs/*/*")
    made = _back_up(filled, tmp_path / "folder")
    assert _restore(tmp_path / "folder", tmp_path / "new") == (made, [])


def test_what_a_process_left_that_died_is_gone_over(filled: Engine, tmp_path: Path) -> None:
    folder, tar = tmp_path / "folder", tmp_path / "file.tar"
    for left in (folder / ".aside", tmp_path / ".file.tar.aside"):
        left.mkdir(parents=True)
        (left / "catalogue.sqlite").write_bytes(b"half")
    (folder / "blobs" / "ab").mkdir(parents=True)
    (tmp_path / ".file.tar.part").write_bytes(b"half")
    for where in (folder, tar):
        _back_up(filled, where)
        _restore(where, tmp_path / f"new-{where.name}")
    assert {path.name for path in folder.iterdir() if "catalogue" not in path.name} == {
        "backup.json",
        "blobs",
    }
    assert not list(tmp_path.glob(".file*"))


def test_where_a_restore_broke_off_nothing_is_opened(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "folder")
    new = tmp_path / "new"
    new.mkdir()
    (new / "catalogue.sqlite.part").write_bytes(b"half")
    with (
        pytest.raises(StoreUnavailable, match=r"broke off\. Restore it again"),
        open_engine(engine_settings(new), HashingBackend()),
    ):
        pass
    _restore(tmp_path / "folder", new)
    assert len(_texts(new)) == 2


def test_nothing_is_overwritten(filled: Engine, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "file.tar")
    with pytest.raises(InvalidRequest, match="is there already"):
        _back_up(filled, tmp_path / "file.tar")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")
    with pytest.raises(InvalidRequest, match="something else than a backup"):
        _back_up(filled, tmp_path / "mine")
    with pytest.raises(DataDirectoryLocked):
        _restore(tmp_path / "file.tar", filled.settings.data)
    _restore(tmp_path / "file.tar", tmp_path / "new")
    with pytest.raises(InvalidRequest, match="holds a catalogue already"):
        _restore(tmp_path / "file.tar", tmp_path / "new")


def test_of_a_tar_that_breaks_off_nothing_is_left(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(InvalidRequest, match="No space left"):
        _back_up(filled, tmp_path / "file.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_there_must_be_something_to_back_up(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds no knowledge bases"):
        back_up(tmp_path, FileBlobs(tmp_path), tmp_path / "folder", "test", 0.0, lambda _: None)


def test_originals_in_a_bucket_are_in_a_backup_and_restored_beside_those_of_others(
    tmp_path: Path, bucket: str
) -> None:
    settings = engine_settings(tmp_path / "data", blobs_url=f"{bucket}/{uuid4().hex}")
    with open_engine(settings, HashingBackend()) as engine:
        _add(engine, Pipeline(engine, InProcessParser(ParseLimits()), 1_000), "four", "five")
        made = _back_up(engine, tmp_path / "folder")
        assert (made.documents, made.originals, made.lost) == (2, 2, ())
        taken = engine_settings(tmp_path / "new", blobs_url=settings.blobs_url)
        with pytest.raises(InvalidRequest, match="FOOTNOTE_BLOBS_URL says: name another"):
            _restore(tmp_path / "folder", taken.data, taken)
        assert not (tmp_path / "new" / "catalogue.sqlite").exists()
    free = replace(taken, blobs_url=f"{bucket}/{uuid4().hex}")
    assert _restore(tmp_path / "folder", free.data, free) == (made, [])
    with open_engine(free, HashingBackend()) as engine:
        assert len({*engine.blobs.digests()}) == 2
        inspected = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
        assert all(finding.ok for finding in inspected)
