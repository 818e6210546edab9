"""What a cache makes of folders that it didn't leave so."""

import os
import time
from pathlib import Path

import pytest

from retrieval.embedding.model_cache import ModelCache
from retrieval.errors import ModelUnavailable


def made(folder: Path) -> None:
    (folder / "weights").write_text("numbers")


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    assert (cache.folder("model", made) / "weights").read_text() == "numbers"
    cache.folder("model", lambda _: pytest.fail("it is there"))


@pytest.mark.parametrize("harm", ["changed", "a file"])
def test_what_was_harmed_is_made_anew(tmp_path: Path, harm: str) -> None:
    path = ModelCache(tmp_path).folder("model", made)
    (path / "weights").write_text("noise")
    if harm == "a file":
        path.rename(tmp_path / "elsewhere")
        path.write_text("noise")
    assert ModelCache(tmp_path).find("model") is None
    assert (ModelCache(tmp_path).folder("model", made) / "weights").read_text() == "numbers"


def test_what_a_killed_process_left_goes_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".model-old", tmp_path / ".model-new"
    for folder in (old, new):
        (folder / "made").mkdir(parents=True)
    os.utime(old, (time.time() - 2 * 24 * 3_600,) * 2)
    ModelCache(tmp_path).folder("model", made)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    cache = ModelCache(tmp_path / "cache")
    cache.note("trial", {"a": 1})
    assert cache.recall("trial") == {}
    with pytest.raises(ModelUnavailable, match="FOOTNOTE_CACHE"):
        cache.folder("model", made)
