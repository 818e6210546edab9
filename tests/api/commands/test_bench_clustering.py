import json

import pytest

from tests.api.commands.conftest import Run


@pytest.mark.slow
def test_processes_that_are_killed_in_turn_lose_and_double_nothing(run: Run) -> None:
    numbers = ("--documents", "30", "--clients", "2", "--questions", "10", "--every", "5")
    result = run("bench", "cluster", "--servers", "2", "--workers", "2", *numbers, "--json")
    figures = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert figures["sound"]
    assert figures["uploaded"] == 30
    assert figures["documents"] >= 30
    assert figures["agreed"] == 10
    assert {"postgres", "chroma"} <= {one["what"] for one in figures["restarts"]}


def test_misuse_ends_it_with_status_2(run: Run) -> None:
    for option in ("--servers", "--workers", "--documents", "--clients", "--every"):
        assert run("bench", "cluster", option, "0").exit_code == 2
