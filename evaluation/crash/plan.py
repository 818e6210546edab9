"""What a crash test ingests: files, and texts of which some change."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.beir import Entry
from ingest.types import Source


@dataclass(frozen=True, slots=True)
class Sending:
    """A document as it is sent once: a file, or a text."""

    uri: str
    path: str = ""
    title: str = ""
    text: str = ""

    def source(self) -> Source:
        if self.path:
            path = Path(self.path)
            return Source(self.uri, path.name, path.read_bytes())
        return Source(self.uri, self.uri, self.text.encode(), "text/plain", self.title or None)


def planned(files: Sequence[Path], texts: Sequence[Entry]) -> list[Sending]:
    """Files and texts in turns; every fifth text is sent again with a changed end."""
    taken = [Sending(f"file/{path.name}", path=str(path)) for path in files]
    said = [Sending(f"text/{text.id}", title=text.title, text=text.text) for text in texts]
    again = [
        Sending(one.uri, title=one.title, text=f"{one.text} It has been changed since.")
        for one in said[::5]
    ]
    step = max(1, len(said) // (len(taken) or 1))
    mixed: list[Sending] = []
    for at, one in enumerate(said):
        mixed.append(one)
        if at % step == 0 and taken:
            mixed.append(taken.pop())
    return [*mixed, *taken, *again]


def write_plan(path: Path, plan: Sequence[Sending]) -> None:
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in plan))


def read_plan(path: Path) -> Iterator[Sending]:
    for line in path.read_text().splitlines():
        yield Sending(**json.loads(line))
