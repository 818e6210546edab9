"""Parsers against the known texts of files, beside markitdown and pypdf in the same run.

Of what was made of a file three things are told: the character error rate against its true text,
how much of the order of its sentences is kept, and the time. White space isn't counted, nor the
signs of Markdown that a reader of the file wouldn't see.
"""

import json
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from evaluation.errors import EvaluationError
from ingest import parsers

Reader = Callable[[bytes, str], str]
"""Bytes and a file name to text."""

_SENTENCE = re.compile(r"[^。！？.!?\n]{8,}[。！？.!?]")
_PROBE = 12  # characters at a sentence's start that it is looked for by
_LONGEST = 60_000  # characters compared; the rate of a longer text is that of its beginning


@dataclass(frozen=True, slots=True)
class Case:
    """A file and what is known of it: its true text, or strings that must be in it, in order."""

    path: Path
    kind: str
    truth: str | None
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What a reader made of the files of a kind.

    `error_rate` is the mean character error rate (Levenshtein distance over the length of the
    truth, both without white space), `order` the mean share of neighbouring sentences in the
    true order, `found` the share of expected strings; None where nothing is known.
    """

    reader: str
    kind: str
    files: int
    read: int
    error_rate: float | None
    order: float | None
    found: float | None
    seconds: float


def read_cases(manifest: Path) -> list[Case]:
    """The files of a manifest, a row of JSON each: `file`, `kind` or `group`, `truth`, `expect`.

    Files that can't be read by anybody, with an `error` of their own, are left out, and so are
    scans. Raises EvaluationError.
    """
    try:
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{manifest} can't be read as JSON Lines: {error}.") from error
    return [
        Case(
            path=manifest.parent / row["file"],
            kind=Path(row["file"]).suffix.lstrip("."),
            truth=(manifest.parent / row["truth"]).read_text("utf-8") if "truth" in row else None,
            expected=tuple(row.get("expect") or ()),
        )
        for row in rows
        if "scan" not in str(row.get("kind") or row.get("group")) and "error" not in row
    ]


def compare(cases: Sequence[Case], watch: Callable[[int], None]) -> list[Score]:
    """Each reader on each kind of file."""
    kinds = sorted({case.kind for case in cases})
    scores = []
    done = 0
    for kind in kinds:
        of_kind = [case for case in cases if case.kind == kind]
        for name, reader in readers().items():
            if name == "pypdf" and kind != "pdf":
                continue
            scores.append(_score(name, reader, kind, of_kind))
        done += len(of_kind)
        watch(done)
    return scores


def readers() -> Mapping[str, Reader]:
    """Ours and its peers. Raises EvaluationError where those aren't installed."""
    try:
        from markitdown import MarkItDown, StreamInfo
        from pypdf import PdfReader
    except ImportError as error:
        raise EvaluationError(f"{error.name} isn't installed: pip install -e '.[peers]'") from error
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # a line for every odd font
    converter = MarkItDown(enable_plugins=False)

    def with_markitdown(data: bytes, name: str) -> str:
        info = StreamInfo(extension=Path(name).suffix, filename=name)
        return str(converter.convert_stream(BytesIO(data), stream_info=info).markdown)

    def with_pypdf(data: bytes, _name: str) -> str:
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages)

    return {
        "footnote": lambda data, name: parsers.parse(data, name).text,
        "markitdown": with_markitdown,
        "pypdf": with_pypdf,
    }


def _score(name: str, reader: Reader, kind: str, cases: Sequence[Case]) -> Score:
    rates, orders, found = [], [], []
    read, seconds = 0, 0.0
    for case in cases:
        data = case.path.read_bytes()
        began = time.perf_counter()
        try:
            text = reader(data, case.path.name)
            read += 1
        except Exception:  # noqa: BLE001 - a peer may raise anything; it has then read nothing
            text = ""
        seconds += time.perf_counter() - began
        said = bare(text)
        if case.truth is not None:
            rates.append(error_rate(said, bare(case.truth)))
            orders.append(order_kept(said, case.truth))
        found += [bare(each) in said for each in case.expected]
    return Score(
        name,
        kind,
        len(cases),
        read,
        fmean(rates) if rates else None,
        fmean(orders) if orders else None,
        fmean(found) if found else None,
        seconds,
    )


def bare(text: str) -> str:
    """A text without white space and without the signs of Markdown, in NFKC."""
    plain = re.sub(r"(?m)^\s*(#+|[-*+>]|\d+\.)\s+|[*_`|\\]|:?-{3,}:?", "", text)
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", plain))


def error_rate(said: str, truth: str) -> float:
    """The Levenshtein distance over the length of the truth, at most 1."""
    from rapidfuzz.distance import Levenshtein

    said, truth = said[: 2 * _LONGEST], truth[:_LONGEST]
    return min(1.0, Levenshtein.distance(said, truth) / max(len(truth), 1))


def order_kept(said: str, truth: str) -> float:
    """The share of neighbouring sentences of the truth that stand in that order."""
    places = [said.find(probe) for probe in _probes(truth)]
    if len(places) < 2:
        return 1.0
    return fmean(0 <= one < other for one, other in pairwise(places))


def _probes(truth: str) -> Iterator[str]:
    for sentence in _SENTENCE.findall(truth):
        probe = bare(sentence)[:_PROBE]
        if len(probe) == _PROBE:
            yield probe
