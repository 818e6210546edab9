"""What is shown of a soak that went wrong, and of one that didn't."""

import json
from dataclasses import replace
from datetime import date

from evaluation.report.bench import to_html, to_markdown
from evaluation.serving_soak.faults import Fault, Faults
from evaluation.serving_soak.figures import CallFigures, LifeFigures, SoakFigures
from evaluation.serving_soak.memory import Slope
from evaluation.serving_soak.table import report_of
from tests.evaluation.embedding_bench.conftest import HOSTILE

FLAT = Slope(0.5, -1.0, 2.0, 2.0, 600.0)
STEEP = Slope(30.0, 20.0, 40.0, 2.0, 600.0)
SOUND = SoakFigures(
    machine="CPU",
    made=date(2026, 11, 22),
    command="footnote bench soak",
    server="Footnote 0.1.0",
    minutes=10.0,
    clients=50,
    kills=1,
    seed=0,
    acts=2_000,
    documents=77,
    written=300,
    deleted=123,
    lost=4,
    retries={"refused": 90, "503": 1},
    calls=(CallFigures("search", 1_234, 20.5, 10.0, 20.0, 30.25),),
    lives=(LifeFigures(300.0, None, 650.0, FLAT), LifeFigures(9.0, 12.5, None, None)),
    doctor=("catalogue: whole",),
    counts={},
    faults=(),
    notes=("A note.",),
)
WRONG = replace(
    SOUND,
    counts={"untrue": 120},
    faults=(Fault("untrue", f"it lies {HOSTILE}", "POST /ask", '{"text": ""}', 61.25),),
)


def test_figures_and_the_verdict_are_shown() -> None:
    assert SOUND.sound
    told = to_markdown(report_of(SOUND))
    for said in ("1,234", "30.2", "503 1, refused 90", "12.5", "too short"):
        assert said in told
    assert report_of(SOUND).grids[-1].rows[0][-1] == "+0.5 [-1.0, +2.0]"
    assert "Sound: 0 faults." in told
    assert "Wrong" not in told


def test_each_fault_is_listed_with_request_and_reply() -> None:
    assert not WRONG.sound
    report = report_of(WRONG)
    assert report.grids[0].title == "Wrong, and 119 more"
    assert report.grids[0].rows[0][0] == "61.2 s, untrue"
    assert report.grids[0].rows[0][2:] == ("POST /ask", '{"text": ""}')
    assert "Not sound: 120 faults." in report.remarks[3]
    assert HOSTILE not in to_html(report)
    assert json.loads(json.dumps(WRONG.to_json()))["faults"][0]["kind"] == "untrue"


def test_growing_memory_is_not_sound() -> None:
    grown = replace(SOUND, lives=(LifeFigures(300.0, None, 700.0, STEEP),))
    assert grown.grown
    assert not grown.sound
    assert "Not sound: 0 faults, memory grew." in report_of(grown).remarks[3]
    assert grown.to_json()["grown"] is True


def test_the_first_faults_are_kept_and_all_are_counted() -> None:
    faults = Faults()
    for number in range(150):
        faults.add("untrue", f"lie {number}", "x" * 9_000, "y" * 9_000)
    faults.add("503", "one among many")
    assert faults.counts == {"untrue": 150, "503": 1}
    assert len(faults.kept) == 26
    assert faults.kept[-1].what == "one among many"
    assert faults.kept[0].what == "lie 0"
    assert len(faults.kept[0].request) == len(faults.kept[0].reply) == 2_000
