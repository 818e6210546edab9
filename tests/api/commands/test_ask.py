from pathlib import Path

import pytest

from tests.api.commands.conftest import Printed, Run


@pytest.fixture(autouse=True)
def _ingested(run: Run, folder: Path) -> None:
    run("ingest", str(folder))


def test_an_answer_is_printed_with_its_footnote(run: Run) -> None:
    result = run("ask", "When does the office serve tea?")
    assert result.exit_code == 0
    first, *notes = result.stdout.splitlines()
    assert first == "The office serves tea at four 🍵. [1]"
    assert "[1] tea, characters 0 to 32 ✓ verified" in notes[0]


def test_an_abstention_is_an_answer_too(run: Run, printed: Printed) -> None:
    assert "nothing" in run("ask", "Who painted the ceiling?").stdout
    answer = printed("ask", "谁发明了电话?")
    assert (answer["abstained"], answer["citations"]) == (True, [])


def test_json_is_the_answer_of_the_http_interface(printed: Printed) -> None:
    answer = printed("ask", "运费险的理赔时限是几天?", "--filter", "{}")
    (citation,) = answer["citations"]
    assert (citation["quote"], citation["verified"]) == ("运费险的理赔时限是七天。", True)
    assert set(answer["timings"]) == {"embed", "search", "draft", "quote", "total"}
