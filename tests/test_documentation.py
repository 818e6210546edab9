"""What the README says is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from typer.main import get_command

from api.app import create_app
from api.cli import cli
from api.settings import Settings
from api.wire.protocol import CALLS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SETTINGS = Settings.model_fields
EMPTY = {
    "allowed_hosts": "none",
    "blobs_url": "with the data",
    "cache": "the user's cache",
    "chat_model": "quotes",
    "chroma_token": "none",
    "chroma_url": "embedded",
    "database_url": "SQLite there",
    "embedding_calibration": "the samples",
    "embedding_api_key": "none",
    "embedding_device": "best found",
    "embedding_url": "none",
    "ollama_api_key": "none",
    "ollama_host": "none",
    "reranker": "none",
    "sync": "none",
}


def _routes() -> Iterator[tuple[str, str]]:
    for path, item in create_app(Settings()).openapi()["paths"].items():
        for method in item:
            yield method.upper(), path
    yield "GET", "/"


def _commands(command: object, name: str) -> Iterator[str]:
    for part, below in getattr(command, "commands", {}).items():
        if getattr(below, "commands", None):
            yield from _commands(below, f"{name} {part}")
        else:
            yield f"{name} {part}"


def _table(heading: str) -> list[list[str]]:
    """The rows of the tables under a heading, cell by cell."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


def _documented_calls() -> set[tuple[str, str]]:
    """The calls of the table of routes; `...` stands for the path of the call before it."""
    calls, last = set(), ""
    for call, *_ in _table("HTTP"):
        for method, path in re.findall(
            r"(GET|PUT|POST|DELETE) (\S+?)`", call.replace("`...", "...")
        ):
            last = path if path != "..." else last
            calls.add((method, last))
    return calls


def _defaults() -> dict[str, str]:
    """The default of each setting as the README gives it."""
    found: dict[str, str] = {}
    for names, values, *_ in _table("Configuration"):
        settings = re.findall(r"FOOTNOTE_(\w+)", names)
        given = [value.strip("` ") for value in values.split(",")]
        found |= dict(zip(settings, given, strict=bool(settings)))
    return found


def test_the_readme_is_at_most_200_lines() -> None:
    assert len(README.splitlines()) <= 200


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_readme_with_its_default(name: str) -> None:
    default = SETTINGS[name].default
    expected = EMPTY.get(name) or (
        str(default).lower()
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )
    assert _defaults()[name.upper()] == expected


def test_every_variable_of_the_readme_exists() -> None:
    named = set(re.findall(r"FOOTNOTE_([A-Z_]+[A-Z])", README))
    assert named
    assert {name.lower() for name in named} <= set(SETTINGS)


def test_the_table_of_calls_is_that_of_the_routes() -> None:
    assert _documented_calls() == set(_routes())


def test_the_calls_of_the_protocols_are_in_the_readme() -> None:
    [calls] = re.findall(r"^- \*\*The calls\.\*\*(.*)$", README, re.MULTILINE)
    named = set(re.findall(r"`(/[a-z0-9/]+)`", calls))
    assert named == {path.split("/{")[0] for path in CALLS}


def test_the_routes_are_not_only_those_of_the_schema() -> None:
    hidden = {
        route.path
        for route in create_app(Settings()).routes
        if isinstance(route, APIRoute) and not route.include_in_schema
    }
    assert hidden <= {"/"}


@pytest.mark.parametrize("command", list(_commands(get_command(cli), "footnote")))
def test_every_command_is_in_the_readme(command: str) -> None:
    rows = {
        name: f"{call} {does}"
        for call, does in _table("Command line")[1:]
        for name in re.findall(r"footnote [\w-]+", call)
    }
    name, *below = command.split()[1:]
    row = rows[f"footnote {name}"]
    for word in below:
        assert f"`{word}`" in row


def test_the_readme_names_no_command_that_is_not_there() -> None:
    groups = {command.split()[1] for command in _commands(get_command(cli), "footnote")}
    named = set(re.findall(r"(?:^|`|&& )footnote ([a-z]+(?:-[a-z]+)*)", README, re.MULTILINE))
    assert named == groups
