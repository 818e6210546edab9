"""The figures themselves are nobody's to assert: that they come, and of what."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import cli
from api.standin.server import create_standin, running
from evaluation.load import made_up
from tests.evaluation.sets import entry, write_set


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(create_standin()) as url:
        yield url


def test_calls(server: str) -> None:
    command = ["bench", "calls", server, "--texts", "300", "--repeats", "2", "--json"]
    found = json.loads(CliRunner().invoke(cli, command).stdout)
    assert [(one["texts"], one["answered"]) for one in found] == [(300, 300)] * 2
    assert all(one["share"] == one["single"] / one["batched"] > 0 for one in found)
    shown = CliRunner().invoke(cli, [*command[:-1]]).stdout
    assert "median share" in shown


def test_passing(server: str) -> None:
    command = ["bench", "passing", server, server, "--repeats", "5"]
    assert "added at p50" in CliRunner().invoke(cli, command).stdout
    found = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
    assert found["added_p50"] == found["through"]["p50"] - found["direct"]["p50"]


def test_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_MODEL", "hashing")
    command = ["bench", "answers", "--rounds", "1", "--pace", "0", "--json"]
    found = json.loads(CliRunner().invoke(cli, command).stdout)
    assert found["answers"] > 10
    assert len(found["milliseconds"]) == 4
    assert all(0 < one["p50"] <= one["p95"] for one in found["milliseconds"].values())


def test_search(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path / "set",
        [entry(n, f"Harbour {n} was dredged in {1900 + n}.") for n in range(20)],
        [entry("q", "Which harbour was dredged?")],
        "q\t1\t1\n",
    )
    command = ["bench", "search", str(folder), "--chunks", "120", "--model", "hashing"]
    shown = CliRunner().invoke(cli, command).stdout
    assert "p50 and p95 of 1 searches" in shown
    found = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
    assert [one["chunks"] for one in found["sizes"]] == [120]
    refused = CliRunner().invoke(cli, [*command, "--chunks", "381"])
    assert refused.exit_code == 2
    assert "20 texts don't make 381" in refused.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["calls", "http://127.0.0.1:1"],
        ["passing", "http://127.0.0.1:1", "http://127.0.0.1:1"],
        ["calls", "SERVER", "--model", "nope"],
    ],
)
def test_a_server_that_does_not_answer(server: str, arguments: list[str]) -> None:
    given = [server if one == "SERVER" else one for one in arguments]
    result = CliRunner().invoke(cli, ["bench", *given])
    assert result.exit_code == 1 and result.exception


def test_texts_are_the_same_every_time() -> None:
    assert made_up(50, 20) == made_up(50, 20)
    assert len(set(made_up(50, 1))) == 50
