import json
from pathlib import Path

import pytest

from evaluation.embedding_bench import measuring
from evaluation.embedding_bench.figures import Bench
from tests.api.commands.conftest import Run
from tests.evaluation.sets import entry, write_set

QUICK = ("--count", "4", "--rounds", "2", "--seconds", "0.01", "--rate", "300", "--threads", "1")


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peak is measured by torch, which takes seconds to load."""
    monkeypatch.setattr(measuring, "measured_peak", lambda *_: {"float32": 1e11})


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    words = ["tea", "warranty", "battery"]
    return write_set(
        tmp_path / "set",
        [entry(f"d{n}", f"All about {word}.") for n, word in enumerate(words)],
        [entry(f"q{n}", f"{word}?") for n, word in enumerate(words)],
        "".join(f"q{n}\td{n}\t1\n" for n in range(3)),
    )


def test_everything_is_reported_and_a_failure_decides_the_status(
    run: Run, dataset: Path, tmp_path: Path
) -> None:
    page, pasted = tmp_path / "out.html", tmp_path / "out.md"
    targets = ("auto", "raw:auto", "tei+http://127.0.0.1:1", "--quality", str(dataset))
    files = ("--html", str(page), "--markdown", str(pasted))
    result = run("bench", "embed", *targets, *QUICK, *files, "--json")
    assert result.exit_code == 1
    bench = Bench.from_json(json.loads(result.stdout))
    assert [one.name for one in bench.results] == ["auto", "raw:auto", "tei+http://127.0.0.1:1"]
    assert [one.name for one in bench.failed] == ["tei+http://127.0.0.1:1"]
    assert [one.name for one in bench.sets] == ["questions", "documents"]
    assert bench.results[0].quality is not None
    assert bench.results[0].model == "hashing"
    for path in (page, pasted):
        text = path.read_text(encoding="utf-8")
        assert "doesn't answer" in text.replace("&#39;", "'")
        assert "raw:auto" in text


def test_figures_are_printed(run: Run) -> None:
    result = run("bench", "embed", "auto", "auto", *QUICK, "--set", "short", "--set", "mixed")
    assert result.exit_code == 0
    for part in ("Speed and quality", "Throughput", "Latency", "auto (2)", "mixed: 4 texts"):
        assert part in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("onnx",), "'onnx' names no backend that there is"),
        (("ollama+http://h",), "names no model"),
        (("auto", "--reference", "torch"), "'torch' isn't one of the targets"),
        (("auto", "--set", "long"), "'long' is no set of texts"),
        (("auto", "--texts", "EMPTY"), "has no text: one a line"),
        (("auto", "--quality", "EMPTY"), "can't be read"),
        (("auto", "--html", "EMPTY/report.html"), "can't be written"),
        (("auto", "--rounds", "0"), "greater than or equal to 1"),
    ],
)
def test_what_is_misused_ends_it_with_status_2_before_it_measures(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    given = [one.replace("EMPTY", str(empty)) for one in arguments]
    result = run("bench", "embed", *given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
