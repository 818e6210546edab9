"""The commands on models, against a stand-in over real HTTP."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import cli
from api.standin.server import create_standin, running

Run = Callable[..., Any]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running(create_standin()) as url:
        monkeypatch.setenv("OLLAMA_HOST", url)
        yield url


@pytest.fixture
def run(server: str) -> Run:
    def command(*arguments: str) -> Any:
        return CliRunner().invoke(cli, ["models", *arguments])

    return command


def test_list_and_show(run: Run) -> None:
    assert "tiny-tools:latest" in run("list").stdout
    listed = json.loads(run("list", "--json").stdout)
    assert {"name", "digest", "size"} <= set(listed[0])
    assert "embedding" in run("show", "all-minilm").stdout
    shown = json.loads(run("show", "all-minilm", "--json").stdout)
    assert (shown["context_length"], shown["parameters"]) == (512, {"num_ctx": ["256"]})


def test_load_and_unload(run: Run) -> None:
    assert run("load", "tiny", "--keep-alive", "1h").stdout == "tiny: loaded\n"
    assert run("load", "all-minilm", "--keep-alive", "-1").exit_code == 0
    loaded = json.loads(run("ps", "--json").stdout)
    assert {one["name"] for one in loaded} == {"tiny:latest", "all-minilm:latest"}
    assert any(one["expires_at"].startswith("2319") for one in loaded)
    assert "tiny:latest" in run("ps").stdout
    run("unload", "tiny")
    run("unload", "all-minilm")
    assert json.loads(run("ps", "--json").stdout) == []


def test_pull_says_how_far_it_is(run: Run) -> None:
    done = run("pull", "tiny")
    assert done.stdout == "tiny: fetched\n"
    assert [line for line in done.stderr.splitlines() if line][-1] == "success"


def test_copy_create_and_delete(run: Run) -> None:
    assert run("copy", "tiny", "two").exit_code == 0
    assert run("create", "three", "--from", "tiny", "--system", "Be brief.").exit_code == 0
    assert run("delete", "two", "--yes").stdout == "two: deleted\n"
    assert run("delete", "three", "-y").exit_code == 0
    assert "two" not in run("list").stdout
    assert run("version").stdout == "0.33.0\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nope"], "not found"),
        (["pull", "nope"], "does not exist"),
        (["push", "tiny"], "unqualified name"),
        (["delete", "nope", "-y"], "not found"),
    ],
)
def test_what_the_server_refuses_is_said(run: Run, arguments: list[str], said: str) -> None:
    assert said in str(run(*arguments).exception)
