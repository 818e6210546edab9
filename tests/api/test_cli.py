import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from api.cli import cli, main
from api.service import open_service
from api.settings import Settings
from api.version import VERSION
from retrieval.embedding.hashing import HashingBackend

FULL = Path("/dev/full")
COMMANDS = [
    *(["demo"], ["serve"], ["work"], ["ingest"], ["search"], ["ask"], ["replay"], ["version"]),
    *(["kb"], ["kb", "list"], ["kb", "create"], ["kb", "delete"]),
    ["keys"],
    *(["keys", name] for name in "create list revoke audit".split()),
    *(
        ["stand-in"],
        ["models"],
        ["doctor"],
        ["reindex"],
        ["sync"],
        ["export"],
        ["import"],
        ["bench"],
    ),
    *(
        ["bench", name]
        for name in "calls passing crash files ingest parsers soak cluster stores workers".split()
    ),
    *(["models", name] for name in "list ps show pull push load unload copy create delete".split()),
    ["backup"],
    ["restore"],
    ["eval"],
    *(["eval", name] for name in "retrieval compare gate trec mteb kb chunking pages".split()),
    *(["eval", name] for name in "answers reader verification".split()),
]


@pytest.fixture(autouse=True)
def _hashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_MODEL", "hashing")
    monkeypatch.setenv("FOOTNOTE_DATA", str(tmp_path / "data"))


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["footnote", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_every_command_is_listed_here() -> None:
    names = getattr(get_command(cli), "commands", {})
    assert set(names) == {command[0] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_does(command: list[str]) -> None:
    result = CliRunner().invoke(cli, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 6


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(cli, ["version"]).stdout == f"{VERSION}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["search", "a"], 1, "no knowledge base named 'default'"),
        (["ask", "a", "--kb", "none"], 1, "no knowledge base named 'none'"),
        (["kb", "delete", "none", "--yes"], 1, "no knowledge base named 'none'"),
        (["kb", "create", "A b"], 1, "can't name a knowledge base"),
        (["kb", "create", "\udcff"], 1, "can't name a knowledge base"),
        (["kb", "delete", "\udcff"], 1, "no knowledge base named"),
        (["ingest", "/nowhere/[/x]"], 1, "'/nowhere/[/x]'"),
        (["search", ""], 1, "query is empty"),
        (["search", "\udcff"], 1, "Unicode"),
        (["search", "a", "-n", "0"], 1, "k is 0"),
        (["search", "a", "--filter", "x"], 1, "isn't JSON"),
        (["eval", "retrieval", "/nowhere"], 1, "/nowhere"),
        (["eval", "compare", "/nowhere", "a: mode=both", "b"], 1, "'both' is not a valid Mode"),
        (["eval", "gate", "/nowhere"], 2, "--baseline"),
        (["eval", "answers", "/nowhere"], 1, "/nowhere"),
        (["replay", "nope"], 2, "no stored answer 'nope'"),
        (["kb", "list", "--data", ""], 2, "It is empty: name a directory"),
        (["reindex", "docs", "--tokens", "-5"], 2, "--tokens: Input should be greater than"),
        (["reindex", "docs", "--model", ""], 2, "--model: String should match"),
        (["search"], 2, "Missing argument"),
        (["search", "a", "--mode", "magic"], 2, "magic"),
        (["nope"], 2, "nope"),
        (["serve", "--port", "65536"], 2, "65535"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_failure_is_a_message_and_a_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    assert _main(monkeypatch, *arguments) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in " ".join(printed.err.replace("│", " ").split())
    assert "Traceback" not in printed.err


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device")
@pytest.mark.parametrize("command", [["kb", "list"], ["kb", "list", "--json"], ["version"]])
def test_a_full_disk_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with FULL.open("w") as full:  # closing it writes what is left, which raises if it can
        monkeypatch.setattr(sys, "stdout", full)
        assert _main(monkeypatch, *command) == 1
    assert "no space left" in capsys.readouterr().err


def test_what_the_encoding_of_the_output_lacks_is_escaped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "printed").open("w+", encoding="latin-1") as printed:
        monkeypatch.setattr(sys, "stdout", printed)
        text = tmp_path / "é 茶.txt"
        text.write_text("Tea.")
        assert _main(monkeypatch, "ingest", str(text)) == 0
        printed.seek(0)
        assert "é \\u8336.txt" in printed.read()


def test_standard_input_that_is_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert _main(monkeypatch, "ingest", "-") == 1
    assert "Standard input is closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("LOG_LEVEL", "loud"), ("MAX_PAGES", "0"), ("DATA", "")]
)
def test_a_setting_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    assert _main(monkeypatch, "kb", "list") == 2
    assert f"FOOTNOTE_{name}: " in capsys.readouterr().err


def test_another_model_is_refused_with_both_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with open_service(Settings(data=tmp_path / "data"), HashingBackend(dimension=64)) as service:
        service.engine.create("default")
    for arguments in (["search", "a"], ["ask", "a"], ["ingest", str(tmp_path)]):
        assert _main(monkeypatch, *arguments) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert "(64 dimensions" in said
        assert "(256 dimensions" in said


def test_a_directory_that_another_process_uses_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with open_service(Settings(data=tmp_path / "data"), HashingBackend()):
        assert _main(monkeypatch, "kb", "list") == 1
    assert "Another Footnote process" in capsys.readouterr().err


def test_a_data_directory_that_is_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(b"")
    assert _main(monkeypatch, "kb", "list") == 1
    assert "data directory" in capsys.readouterr().err
