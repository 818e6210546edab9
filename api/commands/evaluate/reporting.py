"""What `footnote eval retrieval --out` writes: a report, and each run as trec_eval reads it."""

import json
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from api.console import err
from evaluation.errors import DatasetError
from evaluation.judging import Judged
from evaluation.machine import describe
from evaluation.own_questions import write_own_questions
from evaluation.report.content import Figures, Report, SetReport, report_on
from evaluation.report.html import to_html
from evaluation.report.markdown import to_markdown
from evaluation.report.trec_scores import scores
from evaluation.runs import Run
from evaluation.test_set import TestSet
from evaluation.trec import write_run


class ReportFolder:
    """Takes one set after another; `written` are the files that there are so far."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder, if there is none: better now than after hours of measuring."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._sets: list[SetReport] = []
        self.written: list[Path] = []

    def add(self, test_set: TestSet, judged: Sequence[Judged]) -> tuple[Figures, ...]:
        """Writes the runs and takes the set into the report; what it says of each run."""
        for one in judged:
            self._write_run(test_set, one.run)
        self._sets.append(report_on(test_set, judged))
        return self._sets[-1].runs

    def add_questions(self, test_set: TestSet) -> None:
        """Writes questions that a knowledge base can be measured by again."""
        path = self._folder / "questions.jsonl"
        write_own_questions(path, test_set)
        self.written.append(path)

    def finish(self, told: Sequence[dict[str, Any]]) -> None:
        """Writes the report, and as JSON what is told programs."""
        command = shlex.join(["footnote", *sys.argv[1:]])
        report = Report(describe(), date.today(), command, tuple(self._sets))
        self._write("report.html", to_html(report))
        self._write("report.md", to_markdown(report))
        self._write("report.json", json.dumps(told, ensure_ascii=False, indent=2) + "\n")

    def tell(self, console: Console) -> None:
        """Prints what was written."""
        for path in self.written:
            console.print(str(path), soft_wrap=True)

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        self.written.append(path)

    def _write_run(self, test_set: TestSet, run: Run) -> None:
        """Leaves the file out, and says so, where ids have white space: the format has no way."""
        path = self._free(f"{test_set.name}-{run.configuration.name}")
        found = {key: scores(run, key, test_set.grades[key]) for key in test_set.questions}
        try:
            write_run(path, found, path.stem)
        except DatasetError as error:
            err.print(f"{path} is left out. {error}", soft_wrap=True)
        else:
            self.written.append(path)

    def _free(self, name: str) -> Path:
        """A path that is no other run's of this report: two sets may have one name."""
        stem = re.sub(r"[^\w.-]+", "_", name)
        path, count = self._folder / f"{stem}.run", 1
        while path in self.written:
            count += 1
            path = self._folder / f"{stem}-{count}.run"
        return path
