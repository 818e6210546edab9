"""A set whose every text and name is hostile, and runs over it that are made by hand."""

from collections.abc import Callable

import pytest

from evaluation.beir import Entry
from evaluation.configuration import Configuration
from evaluation.judging import Judged, judge
from evaluation.runs import Retrieved, Run
from evaluation.test_set import TestSet

HOSTILE = (
    '</p></b>"\'<script src="http://evil.example/x.js">alert(1)</script>|`*_\\&lt;\n<img src=x>'
)
QUESTIONS = 30
DOCUMENTS = 45

Place = Callable[[int], int]
Judge = Callable[[str, Place], Judged]


@pytest.fixture
def hostile() -> TestSet:
    """Question n is answered by document n, every third by n + 1 also, but less."""
    documents = [
        Entry(f"d{n:02}", f"Title {n} {HOSTILE}", f"{HOSTILE} text {n} " + "文" * 400)
        for n in range(DOCUMENTS)
    ]
    grades = {
        f"q{n:02}": {f"d{n:02}": 2} | ({f"d{n + 1:02}": 1} if n % 3 == 0 else {})
        for n in range(QUESTIONS)
    }
    questions = {key: f"Question {key} {HOSTILE}" for key in grades}
    return TestSet(f"set {HOSTILE}", tuple(documents), questions, grades, {})


@pytest.fixture
def judged(hostile: TestSet) -> Judge:
    """Judges a run that finds each question's document at the rank which its place says."""

    def of(name: str, place: Place) -> Judged:
        retrieved = {}
        for n, key in enumerate(hostile.questions):
            others = [f"d{other:02}" for other in range(DOCUMENTS) if other != n]
            order = [*others[: place(n) - 1], f"d{n:02}", *others[place(n) - 1 :]]
            retrieved[key] = tuple(
                Retrieved(document, 0, 10, 1 / rank) for rank, document in enumerate(order, start=1)
            )
        run = Run(hostile.name, Configuration(name, model="hashing"), retrieved, {})
        return judge(run, hostile)

    return of


@pytest.fixture
def runs(judged: Judge) -> list[Judged]:
    """Three, of which the second is the best."""
    return [
        judged("first", lambda n: 1 + n % 12),
        judged(f"second {HOSTILE}", lambda n: 1 + n % 2),
        judged("last", lambda n: 1 + n % 5),
    ]
