"""The figures themselves are nobody's to assert: that they come, and of what."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from api.cli import cli
from api.standin.server import create_standin, running
from evaluation.load import made_up


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
