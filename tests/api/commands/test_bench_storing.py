import json
from pathlib import Path

from tests.api.commands.conftest import Run
from tests.catalogues import on_postgres
from tests.evaluation.sets import entry, write_set


def filled(folder: Path) -> Path:
    words = "harbour bridge engine glacier library orchard satellite violin".split()
    texts = [f"{words[n % 8]} {n} was {words[n % 5]} and {words[n % 3]} again." for n in range(20)]
    corpus = [entry(n, text) for n, text in enumerate(texts)]
    queries = [entry(word, f"Which {word} was it?") for word in words]
    return write_set(folder, corpus, queries, "".join(f"{word}\t1\t1\n" for word in words))


@on_postgres  # where its programs are installed, at least
def test_the_same_is_found_in_both(run: Run, tmp_path: Path) -> None:
    folder = filled(tmp_path)
    numbers = ("--chunks", "120", "--questions", "8")
    result = run("bench", "stores", str(folder), *numbers, "--model", "hashing", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["chunks"], found["questions"]) == (120, 8)
    assert found["same"] in (7, 8)  # Chroma's index is approximate
    assert found["ratio"] > 0
    assert found["embedded"]["processors"].keys() == {"this process"}
    assert found["shared"]["processors"].keys() == {"this process", "Postgres", "Chroma", "S3"}
    assert min(found["shared"]["disk"].values()) > 0.1
    assert found["shared"]["memory"]["Chroma"] > 10.0


def test_more_chunks_than_texts_make_are_refused(run: Run, tmp_path: Path) -> None:
    result = run("bench", "stores", str(filled(tmp_path)), "--chunks", "381")
    assert result.exit_code == 2
    assert "20 texts don't make 381" in result.output
