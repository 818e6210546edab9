from tests.api.commands.conftest import Printed, Run


def test_create_list_delete(run: Run, printed: Printed) -> None:
    assert run("kb", "create", "docs").stdout == "docs: created\n"
    assert run("kb", "create", "docs").stdout == "docs: was there already\n"
    (kb,) = printed("kb", "list")
    assert (kb["name"], kb["documents"], kb["embedding_model"]) == ("docs", 0, "hashing")
    assert "docs" in run("kb", "list").stdout
    assert run("kb", "delete", "docs", "--yes").stdout == "docs: deleted\n"
    assert printed("kb", "list") == []


def test_delete_asks_first(run: Run, printed: Printed) -> None:
    run("kb", "create", "docs")
    refused = run("kb", "delete", "docs", input="n\n")
    assert refused.exit_code == 1
    assert "Delete docs and its 0 documents?" in refused.stdout
    assert len(printed("kb", "list")) == 1
    assert run("kb", "delete", "docs", input="y\n").exit_code == 0
    assert printed("kb", "list") == []
