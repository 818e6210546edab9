"""Small retrieval sets in BEIR's layout."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADER = "query-id\tcorpus-id\tscore\n"


def lines(*rows: Mapping[str, Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def entry(key: object, text: str, **more: Any) -> dict[str, Any]:
    return {"_id": key, "text": text, **more}


def write_set(
    folder: Path,
    corpus: Sequence[Mapping[str, Any]],
    queries: Sequence[Mapping[str, Any]],
    qrels: str,
) -> Path:
    """The folder, with these three files in it."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(lines(*corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text(lines(*queries), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(HEADER + qrels, encoding="utf-8")
    return folder
