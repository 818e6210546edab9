"""Folders that a server mirrors."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api import syncing
from api.service import open_service
from api.settings import Settings
from api.syncing import folders, mirroring
from ingest.mirroring import Mirror
from retrieval.embedding.hashing import HashingBackend
from retrieval.errors import InvalidRequest
from tests.catalogues import on_postgres, url_of


def test_the_setting_names_knowledge_bases_and_folders() -> None:
    assert folders("") == []
    assert folders("a=/x, b = y=z ,") == [("a", Path("/x")), ("b", Path("y=z"))]
    with pytest.raises(InvalidRequest, match="KB=FOLDER"):
        folders("just-a-name")


def test_a_folder_is_mirrored_while_the_server_runs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text("Zebra.")
    settings = Settings(data=tmp_path / "data", sync=f"docs={tmp_path / 'in'}")
    with open_service(settings, HashingBackend()) as service, mirroring(service):
        deadline = time.monotonic() + 30
        while not (kb := service.engine.knowledge_bases.find("docs")) or not (
            service.engine.documents.list(kb, 9)
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)  # there is nothing to wait on but the document


@on_postgres
def test_of_processes_that_name_one_folder_one_mirrors_it_and_then_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "_AGAIN", 0.05)
    begun: list[str] = []
    update = Mirror.update

    def counted(mirror: Mirror, *args: Any) -> Any:
        begun.append(threading.current_thread().name)
        return update(mirror, *args)

    monkeypatch.setattr(Mirror, "update", counted)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text("Zebra.")
    url = SecretStr(url_of(tmp_path / "one"))
    of: dict[str, Any] = {"database_url": url, "sync": f"docs={tmp_path / 'in'}"}

    def until(count: int) -> None:
        deadline = time.monotonic() + 30
        while len(begun) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    one = open_service(Settings(data=tmp_path / "one", **of), HashingBackend())
    other = open_service(Settings(data=tmp_path / "other", **of), HashingBackend())
    with other as there:
        with one as here, mirroring(here):
            until(1)
            with mirroring(there):
                time.sleep(1)  # in which it tries several times
                assert len(begun) == 1
        with mirroring(there):
            until(2)
