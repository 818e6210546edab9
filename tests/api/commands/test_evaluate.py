import json
import sys
from pathlib import Path

import pytest
from lxml import html

from evaluation.trec import ranked, read_run
from tests.api.commands.conftest import Printed, Run

TOPICS = ["tea", "warranty", "运费险", "battery", "office", "退货", "invoice", "holiday"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A retrieval set whose queries are words of one text each."""
    folder = tmp_path / "set [red]"
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": f"d{n}", "title": "", "text": f"All about {word}."} for n, word in enumerate(TOPICS)
    ]
    queries = [{"_id": f"q{n}", "text": f"{word}?"} for n, word in enumerate(TOPICS)]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(len(TOPICS)))
    (folder / "qrels" / "test.tsv").write_text("query\tdocument\tscore\n" + judged)
    return folder


def test_retrieval_scores_each_mode(printed: Printed, run: Run, dataset: Path) -> None:
    [report] = printed("eval", "retrieval", str(dataset))
    assert (report["set"], report["questions"]) == ("set [red]", 8)
    names = [one["configuration"]["name"] for one in report["runs"]]
    assert names == ["dense", "lexical", "hybrid"]
    for one in report["runs"]:
        assert one["metrics"]["nDCG@10"] == {
            "mean": 1.0,
            "low": pytest.approx(0.6756, abs=1e-4),
            "high": 1.0,
        }
    table = run("eval", "retrieval", str(dataset), "--run", "mine: fusion=rrf")
    assert "set [red], 8 questions" in table.stdout
    assert "mine  100.0 [67.6, 100.0]" in table.stdout


def test_a_report_is_written(
    printed: Printed, run: Run, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/footnote", "eval", "retrieval", "a set"])
    folder = tmp_path / "new" / "report"
    call = ("eval", "retrieval", str(dataset), "--run", "all:", "--run", "so / so: fusion=rrf")
    result = run(*call, "--out", str(folder))
    names = ["set_red_-all.run", "set_red_-so_so.run", "report.html", "report.md", "report.json"]
    assert result.stdout.splitlines()[-5:] == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    told = printed(*call, "--out", str(folder))  # nothing but JSON there
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == told
    assert told == printed(*call)
    page = html.fromstring((folder / "report.html").read_text(encoding="utf-8"))
    assert page.findtext(".//code") == "footnote eval retrieval 'a set'"
    rows = {
        row.findtext("th"): [cell.text for cell in row.findall("td")] for row in page.iter("tr")
    }
    assert rows["nDCG@10"] == ["100.0 [67.6, 100.0]"] * 2
    assert "| nDCG@10 | 100.0 [67.6, 100.0] | 100.0 [67.6, 100.0] |" in (
        folder / "report.md"
    ).read_text(encoding="utf-8")
    found = read_run(folder / "set_red_-all.run")
    assert {key: ranked(scores)[0] for key, scores in found.items()} == {
        f"q{n}": f"d{n}" for n in range(len(TOPICS))
    }


def test_a_run_whose_ids_have_white_space_is_left_out_and_told(
    run: Run, dataset: Path, tmp_path: Path
) -> None:
    corpus = dataset / "corpus.jsonl"
    corpus.write_text(corpus.read_text(encoding="utf-8").replace('"d3"', '"d 3"'), encoding="utf-8")
    result = run("eval", "retrieval", str(dataset), "--run", "all:", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    path = tmp_path / "out" / "set_red_-all.run"
    assert f"{path} is left out. 'd 3' can't be a field" in result.stderr
    assert not path.exists()
    assert str(path) not in result.stdout
    assert (tmp_path / "out" / "report.html").exists()


def test_sets_of_one_name_have_runs_of_their_own(run: Run, dataset: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / dataset.name
    (other / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (other / name).write_bytes((dataset / name).read_bytes())
    run(
        *("eval", "retrieval", str(dataset), str(other), "--run", "all:"),
        *("--out", str(tmp_path / "out")),
    )
    kept = sorted(path.name for path in (tmp_path / "out").glob("*.run"))
    assert kept == ["set_red_-all-2.run", "set_red_-all.run"]


def test_runs_are_compared(printed: Printed, run: Run, dataset: Path) -> None:
    runs = (str(dataset), "hybrid", "short: tokens=32", "--metric", "MRR@10")
    [found] = printed("eval", "compare", *runs)
    assert (found["name"], found["metric"], found["p"]) == ("short", "MRR@10", 1.0)
    assert "difference to hybrid" in run("eval", "compare", *runs).stdout


def test_the_gate_decides_the_exit_status(run: Run, dataset: Path, tmp_path: Path) -> None:
    gate = ("eval", "gate", str(dataset), "--baseline", str(tmp_path / "baseline.json"))
    assert "written: nDCG@10 100.0" in run(*gate, "--write").stdout
    held = run(*gate)
    assert (held.exit_code, "passes: nDCG@10 100.0, before 100.0" in held.stdout) == (0, True)
    kept = json.loads((tmp_path / "baseline.json").read_text())
    kept["values"]["nDCG@10"] = dict.fromkeys(kept["values"]["nDCG@10"], 2.0)
    (tmp_path / "baseline.json").write_text(json.dumps(kept))
    lost = run(*gate)
    assert (lost.exit_code, "fails: nDCG@10 100.0, before 200.0" in lost.stdout) == (1, True)


def test_a_gate_that_is_misused_ends_with_status_2_before_it_measures(
    run: Run, dataset: Path, tmp_path: Path
) -> None:
    gate = ("eval", "gate", str(dataset), "--baseline")
    path = tmp_path / "baseline.json"
    for call, said in (
        ((*gate, str(path), "--write", "--metric", "nope"), "'nope' isn't measured of this set;"),
        ((*gate, str(tmp_path / "no" / "b.json"), "--write"), "there is no folder"),
        ((*gate, str(path), "--write", "--queries", "4"), "fewer than 5"),
        ((*gate, str(path)), "can't be read"),
        ((*gate, str(path), "--run", "a: mode=both"), "'both'"),
    ):
        result = run(*call)
        assert result.exit_code == 2
        assert said in " ".join(result.stderr.split())
        assert not path.exists()
    assert not (tmp_path / "data" / "evaluation").exists()


def test_the_gate_tells_of_another_configuration(
    run: Run, printed: Printed, dataset: Path, tmp_path: Path
) -> None:
    gate = ("eval", "gate", str(dataset), "--baseline", str(tmp_path / "baseline.json"))
    run(*gate, "--write", "--run", "all: mode=dense")
    told = run(*gate).stdout
    assert "The baseline is of another configuration: mode=dense." in told
    assert printed(*gate)["baseline"] == {"mode": "dense"}


def test_what_a_set_lacks_is_told(run: Run, printed: Printed, dataset: Path) -> None:
    with (dataset / "qrels" / "test.tsv").open("a") as judged:
        judged.write("q0\tgone\t1\n")
    note = "1 judgement names a document that the corpus hasn't got: it counts as not found."
    call = ("eval", "retrieval", str(dataset), "--run", "all:")
    assert note in run(*call).stdout
    assert printed(*call)[0]["note"] == note


def test_runs_of_other_systems_are_judged(run: Run, printed: Printed, tmp_path: Path) -> None:
    queries = [f"{n}" for n in range(8)]
    (tmp_path / "qrels").write_text("".join(f"{key} 0 d{key} 1\n" for key in queries))
    good = "".join(f"{key} Q0 d{key} 1 9 t\n{key} Q0 x 2 8 t\n" for key in queries)
    bad = "".join(f"{key} Q0 d{key} 1 8 t\n{key} Q0 x 2 9 t\n" for key in queries[1:])
    (tmp_path / "good.run").write_text(good)
    (tmp_path / "bad.run").write_text(bad + "unjudged Q0 d1 1 9 t\n")
    call = ("eval", "trec", *(str(tmp_path / name) for name in ("qrels", "good.run", "bad.run")))
    told = printed(*call, "--metric", "MRR@10")
    note = "1 query isn't in bad: it counts as 0. 1 query of bad isn't judged and is left out."
    assert (told["set"], told["questions"], told["note"]) == ("qrels", 8, note)
    assert [one["name"] for one in told["runs"]] == ["good", "bad"]
    assert [one["metrics"]["MRR@10"]["mean"] for one in told["runs"]] == [1.0, 7 / 16]
    [difference] = told["differences"]
    assert (difference["name"], difference["metric"]) == ("bad", "MRR@10")
    assert difference["difference"]["interval"]["mean"] == pytest.approx(-9 / 16)
    assert difference["p"] < 0.05
    printed_table = run(*call).stdout
    assert "qrels, 8 questions" in printed_table
    assert "nDCG@10, difference to good" in printed_table
    assert note in printed_table
    assert "difference" not in run(*call[:4]).stdout
    assert "100.0 [67.6, 100.0]" in run(*call[:4], "--metric", "hit@1").stdout


def test_chunkings_are_compared_on_spans(printed: Printed, tmp_path: Path) -> None:
    (tmp_path / "spans" / "docs").mkdir(parents=True)
    text = "\n".join(f"All about {word}." for word in TOPICS * 20)
    (tmp_path / "spans" / "docs" / "all.txt").write_text(text, encoding="utf-8")
    rows = [
        {"id": word, "question": f"{word}?", "doc_id": "all", "start": at, "end": at + len(word)}
        for word, at in ((word, text.index(word)) for word in TOPICS)
    ]
    (tmp_path / "spans" / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sizes = ("--tokens", "0", "--tokens", "32", "--overlap", "0")
    found = printed("eval", "chunking", str(tmp_path / "spans"), *sizes)
    [report] = found["sets"]
    assert [one["configuration"]["name"] for one in report["runs"]] == ["window/0", "32/0"]
    [difference] = report["differences"]
    assert difference["metric"] == "span recall in 4,000"
    assert found["overall"]["differences"] == [difference]
    assert found["overall"]["recommended"] == "window/0"  # it is all found either way


def test_answers_are_measured_on_the_samples(printed: Printed) -> None:
    score = printed("eval", "answers")["sample_docs"]
    assert score["answerable"] + score["unanswerable"] > 30
    assert score["any"]["mean"] >= score["first"]["mean"] > 0.3
    assert score["verified"] == 1.0
    assert 0.5 < score["separation"]["auroc"]["mean"] <= 1.0


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """Twelve topics, each with a question that is answered."""
    animals = "zebra lion otter heron badger falcon salmon beetle walrus gecko marmot plover"
    corpus, asked = [], []
    for number, animal in enumerate(animals.split()):
        text = f"The {animal} was seen first in {1900 + number}. It eats {number + 2} meals a day."
        corpus.append({"_id": animal, "title": animal.title(), "text": text})
        question = f"How many meals does the {animal} eat a day?"
        answers = [f"{number + 2} meals"]
        asked.append({"id": animal, "question": question, "answers": answers, "doc_id": animal})
    folder = tmp_path / "animals"
    folder.mkdir()
    for name, rows in (("corpus", corpus), ("questions", asked)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def test_the_reader_is_fitted_on_one_half_and_judged_on_the_other(
    printed: Printed, answered: Path
) -> None:
    told = printed("eval", "reader", str(answered))
    assert told["sentences"]["english"].keys() >= {"cosine", "coverage"}
    assert told["abstention"].keys() == {"english"}
    assert 0 <= told["held_out"]["animals"]["best_sentence"] <= 1
    score = printed("eval", "answers", str(answered))["animals"]
    assert (score["answerable"], score["unanswerable"], score["separation"]) == (12, 0, None)
    assert score["first"]["mean"] > 0.5


def test_answers_have_a_report(printed: Printed, answered: Path, tmp_path: Path) -> None:
    page = tmp_path / "answers.html"
    printed("eval", "answers", str(answered), "--html", str(page))
    assert "answer in the first quote" in page.read_text(encoding="utf-8")


def test_changed_sentences_are_looked_for(printed: Printed, answered: Path) -> None:
    told = printed("eval", "verification", str(answered), "--sentences", "5")
    changed = told["changed"]["animals"]
    assert changed["number"]["pairs"] == 5
    assert changed["passage"]["detected"]["mean"] == 1.0
    assert changed["number"]["false_alarms"]["mean"] == 0.0
    assert told["statements"] == {}  # "How many ... does it eat?" makes no sentence
