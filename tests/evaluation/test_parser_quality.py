"""How near a text is to the true one."""

import json
from pathlib import Path

import pytest

from evaluation.errors import EvaluationError
from evaluation.parser_quality import bare, error_rate, order_kept, read_cases

TRUTH = "第一句话说的是退货政策。第二句话说的是运费险的规则。第三句话说的是员工的假期安排。"


def test_only_what_a_reader_sees_is_compared() -> None:
    assert bare("# Head ing\n\n- **bold** `x`\n| a | b |\n|---|---|\n") == "Headingboldxab"
    assert bare("ﬁve １２") == "five12"


def test_the_error_rate_is_the_distance_over_the_length() -> None:
    assert error_rate("abcd", "abcd") == 0
    assert error_rate("abxd", "abcd") == 0.25
    assert error_rate("", "abcd") == 1
    assert error_rate("x" * 100, "abcd") == 1


def test_order_counts_neighbours_that_are_in_order() -> None:
    first, second, third = (f"{part}。" for part in TRUTH.split("。")[:3])
    assert order_kept(bare(TRUTH), TRUTH) == 1
    assert order_kept(bare(first + third + second), TRUTH) == 0.5
    assert order_kept("", TRUTH) == 0


def test_a_manifest_names_files_and_what_is_known_of_them(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("真", "utf-8")
    rows = [
        {"file": "a.pdf", "truth": "t.txt", "kind": "pdf_two_columns"},
        {"file": "b.docx", "group": "docx", "expect": ["x"]},
        {"file": "c.pdf", "kind": "scan_pdf", "truth": "t.txt"},
        {"file": "d.pdf", "group": "pdf", "error": "password"},
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    cases = read_cases(manifest)
    assert [(c.path.name, c.kind, c.truth, c.expected) for c in cases] == [
        ("a.pdf", "pdf", "真", ()),
        ("b.docx", "docx", None, ("x",)),
    ]
    with pytest.raises(EvaluationError, match="JSON Lines"):
        read_cases(tmp_path / "nothing.jsonl")
