import json
import sys

import pytest

from evaluation.embedding_bench import peak
from evaluation.embedding_bench.peak import measured_peak, peak_of


def test_the_best_product_of_both_precisions_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peak, "_SECONDS", 0.0)
    monkeypatch.setattr(peak, "_SIZES", (8, 16))
    monkeypatch.setattr(sys, "argv", ["peak", "cpu"])
    peak.main()
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["float32", "bfloat16"]
    assert all(value > 0 for value in found.values())


def test_what_cannot_be_measured_has_no_peak() -> None:
    assert measured_peak("no such device", 1, 120.0) == {}


def test_lower_precisions_are_held_against_one_peak() -> None:
    held = [peak_of(dtype) for dtype in ("float32", "bfloat16", "float16", "int8-1234")]
    assert held == ["float32", "bfloat16", "bfloat16", "bfloat16"]
