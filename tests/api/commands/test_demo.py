from tests.api.commands.conftest import Printed, Run


def test_the_demo_answers_in_both_languages_and_again(run: Run, printed: Printed) -> None:
    for _ in range(2):
        result = run("demo")
        assert result.exit_code == 0
        assert "10 files: 10 added" in result.stdout
        assert "✓ verified" in result.stdout
        assert "Embedder: hashing" in result.stdout
    assert any("\u4e00" <= c <= "\u9fff" for c in result.stdout)
    (kb,) = printed("kb", "list")
    assert (kb["name"], kb["documents"]) == ("footnote-demo", 10)
