import json

import pytest

from tests.api.commands.conftest import Run


@pytest.mark.slow
def test_every_document_comes_in_once_by_any_number_of_workers(run: Run) -> None:
    numbers = ("--most", "2", "--documents", "20", "--pages", "1", "--rounds", "1")
    result = run("bench", "workers", *numbers, "--knowledge-bases", "2", "--json")
    figures = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert figures["sound"]
    kinds = [(one["workers"], one["knowledge_bases"]) for one in figures["runs"]]
    assert kinds == [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert {one["documents"] for one in figures["runs"]} == {20}
    assert len({one["chunks"] for one in figures["runs"]}) == 1
    by_workers = figures["runs"][-1]
    assert all(by_workers["processors"][name] > 0 for name in ("workers", "Postgres", "S3"))
    assert 0 < by_workers["publishing"]["taken"] <= 2
    assert len(figures["growths"]) == 2


def test_misuse_ends_it_with_status_2(run: Run) -> None:
    for option in ("--most", "--documents", "--pages", "--knowledge-bases", "--rounds"):
        assert run("bench", "workers", option, "0").exit_code == 2
