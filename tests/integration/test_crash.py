"""Ingestion that is killed with SIGKILL; `footnote bench crash` does more of it."""

from pathlib import Path

from evaluation.beir import Entry
from evaluation.crash.killing import crash_test
from evaluation.crash.plan import planned

SAMPLES = Path(__file__).parents[2] / "sample_docs"
TEXTS = [
    Entry(f"{n}", f"Title {n}", f"Sentence {n} speaks of item {n * 7919}. " * (1 + n % 9))
    for n in range(25)
]


def test_three_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    files = sorted(SAMPLES.glob("*.md")) + sorted(SAMPLES.glob("*.html"))
    kills: list[int] = []
    report = crash_test(planned(files, TEXTS), "hashing", 3, 1, tmp_path, kills.append)
    assert kills == [1, 2, 3]
    assert report.sound, report
    assert report.documents == len(files) + len(TEXTS)
    assert report.looked > 0
