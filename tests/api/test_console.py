import json

import pytest
from rich.table import Table

from api import console
from retrieval.types import Answer, Citation, Usage


def _citation(marker: int, quote: str, page: str | None = None) -> Citation:
    return Citation(
        marker=marker,
        document_id="d",
        version="v",
        uri="u",
        title="A [bold]title[/bold]",
        start=3,
        end=3 + len(quote),
        quote=quote,
        page=page,
        verified=True,
        support=0.5,
    )


def _answer(text: str, *citations: Citation) -> Answer:
    return Answer(
        "q", text, citations, (), (), (), not citations, 0.5, "extractive", Usage(1, 1), {}
    )


def test_an_answer_is_printed_with_every_footnote(capsys: pytest.CaptureFixture[str]) -> None:
    quotes = _citation(1, "Tea\n at [/four].", "iv"), _citation(2, "运费险🍵")
    console.print_answer(_answer("Tea at [/four]. [1]\n运费险🍵 [2]", *quotes))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Tea at [/four]. [1]",
        "运费险🍵 [2]",
        "[1] A [bold]title[/bold], page iv, characters 3 to 19 ✓ verified",
        "“Tea at [/four].”",
        "[2] A [bold]title[/bold], characters 3 to 7 ✓ verified",
        "“运费险🍵”",
    ]


def test_an_abstention_has_no_footnotes(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_answer(_answer("I found nothing."))
    assert capsys.readouterr().out == "I found nothing.\n"


def test_json_is_one_document_in_plain_characters(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"名": ["🍵", 1, None, True]}
    console.print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "🍵" in printed


@pytest.mark.parametrize("status", [1, 2])
def test_a_failure_is_said_on_standard_error(
    capsys: pytest.CaptureFixture[str], status: int
) -> None:
    with pytest.raises(SystemExit) as ended:
        console.fail("'[/x]' isn't there.", status)
    assert ended.value.code == status
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "Error: '[/x]' isn't there.\n")


def test_a_table_keeps_its_figures_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("run [red]", *(f"a long heading {n}" for n in range(8)), box=None)
    table.add_row("名" * 30, *["55.5 [11.1, 99.9]"] * 8)
    console.print_table(table)
    head, row = capsys.readouterr().out.splitlines()
    assert row.count("55.5 [11.1, 99.9]") == 8
    assert head.count("a long heading") == 8
    assert "…" not in head + row


def test_nothing_that_is_printed_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b]0;title\x9b31m\u202eb\udc80"
    console.out.print(evil)
    table = Table(evil)
    table.add_row(evil)
    console.print_table(table)
    console.print_answer(_answer(evil, _citation(1, evil)))
    printed = capsys.readouterr().out
    assert printed.count(r"a\x1b]0;title\x9b31m\u202eb\udc80") == 5
    assert not any(command in printed for command in ("\x1b", "\x9b", "\u202e"))


def test_spaces_and_letters_of_all_scripts_stay(capsys: pytest.CaptureFixture[str]) -> None:
    text = "你好\u3000运费险\xa0👩\u200d👧 می\u200cخواهم"
    console.out.print(text)
    assert capsys.readouterr().out == text + "\n"
