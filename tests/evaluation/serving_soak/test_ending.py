"""What `footnote doctor` says, by children that say it."""

import json
import sys
from pathlib import Path

import pytest

from evaluation.errors import LoadError
from evaluation.serving_soak.ending import check_health
from evaluation.serving_soak.faults import Faults


def doctor(said: str, status: int = 0) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; print({said!r}); sys.exit({status})")


def finding(*, ok: bool) -> dict[str, object]:
    return {"subject": "chunks", "ok": ok, "detail": "3 have no vector", "mended": False}


def test_what_it_finds_is_a_fault(tmp_path: Path) -> None:
    faults = Faults()
    said = json.dumps([finding(ok=True), finding(ok=False)])
    assert check_health(doctor(said, 1), tmp_path, faults) == ("chunks: 3 have no vector",) * 2
    assert faults.counts == {"doctor": 1}
    assert faults.kept[0].what == "chunks: 3 have no vector"


def test_a_clean_bill_is_none_but_the_status_counts_too(tmp_path: Path) -> None:
    faults = Faults()
    said = json.dumps([finding(ok=True)])
    check_health(doctor(said), tmp_path, faults)
    assert not faults.counts
    check_health(doctor(said, 1), tmp_path, faults)
    assert faults.kept[0].what == "it ended with status 1"


def test_one_that_says_nothing_ends_it(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="footnote doctor says nothing"):
        check_health(doctor("oh", 1), tmp_path, Faults())
