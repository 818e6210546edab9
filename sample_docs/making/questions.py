"""Resolves the quotes that answer questions to spans of the finished documents."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest.parsers import parse


@dataclass(frozen=True, slots=True)
class Question:
    """A line of questions.jsonl. Without a document, the right answer is that there is none.

    `quote` equals the document's canonical text from `start` to `end`. `cross` marks a question
    in another language than its document's, `demo` one that `footnote demo` asks.
    """

    id: str
    question: str
    language: str
    answers: tuple[str, ...]
    document: str | None
    start: int | None
    end: int | None
    quote: str | None
    cross: bool
    demo: bool


def read_questions(sources: Path, documents: Mapping[str, bytes]) -> Iterator[Question]:
    """The questions of `questions-<language>.toml`, resolved against the documents by name.

    Raises ValueError where a quote isn't in its document, or is there more than once.
    """
    texts = {name: parse(data, name).text for name, data in documents.items()}
    for path in sorted(sources.glob("questions-*.toml")):
        language = path.stem.removeprefix("questions-")
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["question"]:
            name, quote = entry.get("document"), entry.get("quote")
            start, end = _span(texts[name], quote, entry["id"]) if name else (None, None)
            yield Question(
                id=entry["id"],
                question=entry["question"],
                language=language,
                answers=tuple(entry.get("answers", ())),
                document=name,
                start=start,
                end=end,
                quote=texts[name][start:end] if name else None,
                cross=entry.get("cross", False),
                demo=entry.get("demo", False),
            )


def to_jsonl(questions: Iterable[Question]) -> bytes:
    """One JSON object a line."""
    lines = (json.dumps(asdict(question), ensure_ascii=False) for question in questions)
    return "".join(f"{line}\n" for line in lines).encode()


def _span(text: str, quote: str, question: str) -> tuple[int, int]:
    """Where the quote is in the text, if white space is left out of both."""
    places = [place for place, character in enumerate(text) if not character.isspace()]
    letters, sought = "".join(text[place] for place in places), "".join(quote.split())
    if (found := letters.count(sought)) != 1:
        raise ValueError(f"the quote of {question!r} is in its document {found} times: {quote!r}")
    first = letters.index(sought)
    return places[first], places[first + len(sought) - 1] + 1
