"""The measure of ingestion measures."""

from pathlib import Path

from evaluation.ingest_load import load_test
from retrieval.settings import EngineSettings


def test_a_small_load(tmp_path: Path) -> None:
    seen: list[int] = []
    load = load_test(EngineSettings(tmp_path, "hashing"), 10, 3, seen.append)
    assert seen == list(range(1, 17))
    assert load.chunks >= 50
    assert min(load.warm, load.steady, load.long) > 50
    assert load.raw > 0 < load.ingested
    assert load.cached_documents > 0
