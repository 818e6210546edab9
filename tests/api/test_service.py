import threading
from pathlib import Path

import pytest

from api.service import open_service
from api.settings import Settings
from ingest import sources
from ingest.jobs import Request
from retrieval.embedding.hashing import HashingBackend
from retrieval.errors import DataDirectoryLocked, StoreUnavailable


def test_one_process_at_a_time_uses_a_directory(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with (
        open_service(settings, HashingBackend()),
        pytest.raises(DataDirectoryLocked, match="FOOTNOTE_DATA"),
        open_service(settings, HashingBackend()),
    ):
        pass
    with open_service(settings, HashingBackend()) as again:
        assert again.settings is settings


def test_a_data_directory_that_is_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"")
    with (
        pytest.raises(StoreUnavailable, match="data directory"),
        open_service(Settings(data=path), HashingBackend()),
    ):
        pass


def test_an_error_inside_closes_everything(tmp_path: Path) -> None:
    before = threading.active_count()
    with (
        pytest.raises(ZeroDivisionError),
        open_service(Settings(data=tmp_path), HashingBackend()) as service,
    ):
        service.jobs.start()
        raise ZeroDivisionError
    assert threading.active_count() <= before
    with open_service(Settings(data=tmp_path), HashingBackend()):
        pass


def test_what_was_accepted_is_worked_off_by_the_next_one(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_service(settings, HashingBackend()) as service:
        kb, _ = service.engine.create("kb")
        texts = [sources.text(str(n), f"Text {n}.", None, {"n": n}) for n in range(20)]
        ids = [job.id for job in service.jobs.submit(kb, [Request(text) for text in texts])]
    with open_service(settings, HashingBackend()) as service:
        service.jobs.start()
        assert {job.outcome for job in service.jobs.wait(ids, 30)} == {"added"}
        assert service.engine.documents.count(kb) == 20
