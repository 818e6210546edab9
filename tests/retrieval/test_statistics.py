"""How SQLite goes about the queries of a search."""

from typing import Any

import pytest
from sqlalchemy import event

from retrieval.search import Query
from retrieval.types import Mode
from tests.catalogues import on_sqlite
from tests.retrieval.library import Library

pytestmark = on_sqlite

FILTERS: list[dict[str, Any]] = [
    {},
    {"year": 2026},
    {"team": "legal"},
    {"year": {"$gte": 2020}},
    {"title": "One"},
    {"document_id": "nobody"},
]


@pytest.mark.parametrize("filter_", FILTERS, ids=str)
def test_a_search_goes_through_no_large_table(library: Library, filter_: dict[str, Any]) -> None:
    library.add("a", "# One\n\nA zebra.", {"year": 2026, "team": "legal"})
    library.add("b", "# Two\n\nAnother zebra.", {"year": 2019, "team": "sales"})
    engine = library.engine.database._engine
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        library.engine.searcher.search(library.kb, Query("zebra", 10, Mode.HYBRID, filter_))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    reads = [one for one in sent if one[0].lstrip().startswith("SELECT")]
    assert reads
    with library.engine.database.read() as connection:
        for statement, parameters in reads:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = plan.scalars(3).all()
            found = {step.removeprefix("CO-ROUTINE ") for step in steps}  # few rows, found before
            for step in steps:
                assert not step.startswith("SCAN ") or step.removeprefix("SCAN ") in found, step
                assert "ix_chunks_generation_id" not in step, statement
