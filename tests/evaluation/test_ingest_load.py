"""The measure of ingestion measures."""

from pathlib import Path

from evaluation.ingest_load import load_test


def test_a_small_load(tmp_path: Path) -> None:
    seen: list[int] = []
    load = load_test("hashing", 10, 3, tmp_path, seen.append)
    assert seen == list(range(1, 17))
    assert load.chunks >= 50
    assert min(load.warm, load.steady, load.long) > 50
    assert load.raw > load.ingested > 0
    assert load.cached_documents > 0
