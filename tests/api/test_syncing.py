"""Folders that a server mirrors."""

import time
from pathlib import Path

import pytest

from api.service import open_service
from api.settings import Settings
from api.syncing import folders, mirroring
from retrieval.embedding.hashing import HashingBackend
from retrieval.errors import InvalidRequest


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
