"""A backup of a data directory, taken while a server writes to it.

It holds the catalogue, as it was at one moment, and the original bytes that it names; the stores
are filled from those without embedding anything (see `restoring`). SQLite's online backup copies
the catalogue in one read transaction, which keeps no writer waiting. Bytes are deleted after the
rows that name them, so some that the copy names may go before they are copied: those that are
there are taken first, then the catalogue, then what is new; and once more where something went.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from retrieval.backup_targets import CATALOGUE, Target, opened
from retrieval.errors import DataLost, InvalidRequest, StoreUnavailable
from retrieval.ports import Blobs
from retrieval.schema import UNFINISHED

FORMAT = 1

_ATTEMPTS = 5  # each finds fewer bytes new, so less time passes in which some may go
_PIECE = 1024 * 1024  # bytes hashed at a time

_DOCUMENTS = "SELECT count(live_version) FROM documents"
_OF_VERSIONS = "SELECT DISTINCT blob FROM versions"
_OF_JOBS = f"SELECT DISTINCT blob FROM jobs WHERE state IN {UNFINISHED!r}"  # noqa: S608 - ours

Watch = Callable[[int], None]
"""Told how many originals are copied."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `catalogue` is that file's SHA-256; the `lost` originals were gone, or
    damaged, where it was taken.
    """

    format: int
    made_by: str
    made_at: float
    catalogue: str
    documents: int
    originals: int
    lost: tuple[str, ...]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Raises InvalidRequest where it isn't one, or a newer version's."""
        try:
            members = json.loads(data)
            if members["format"] != FORMAT:
                raise InvalidRequest(
                    f"This backup has the format {members['format']}; this version reads {FORMAT}. "
                    f"Restore it with the version that made it: {members['made_by']}."
                )
            return cls(**{**members, "lost": tuple(members["lost"])})
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidRequest(f"This is no backup of Footnote's: {error}.") from error


@dataclass(frozen=True, slots=True)
class Named:
    """The originals that a catalogue names, and how many documents are live in it."""

    by_versions: set[str]
    by_jobs: set[str]  # that aren't over; their bytes come after the row
    documents: int

    @property
    def all(self) -> set[str]:
        return self.by_versions | self.by_jobs


def back_up(
    data: Path, blobs: Blobs, where: Path, made_by: str, made_at: float, watch: Watch
) -> Manifest:
    """Write a backup of a data directory, and of its originals wherever they are, to a folder, or
    to a file that ends in `.tar`.

    Into the folder of an earlier backup only what is new is written. Raises InvalidRequest where
    there is nothing to back up or it can't be written, StoreUnavailable.
    """
    path = data / CATALOGUE
    if not path.is_file():
        raise InvalidRequest(f"{data} holds no knowledge bases: there is no {CATALOGUE} in it.")
    with opened(where) as (target, aside):
        copy = aside / CATALOGUE
        for _ in range(_ATTEMPTS):
            _copy_originals(blobs, target, named(path).all, watch)
            _snapshot(path, copy)
            found = named(copy)
            missing = _copy_originals(blobs, target, found.all, watch)
            if not missing:
                break
        lost = tuple(sorted(found.by_versions & missing))
        manifest = Manifest(
            format=FORMAT,
            made_by=made_by,
            made_at=made_at,
            catalogue=file_digest(copy),
            documents=found.documents,
            originals=len(found.by_versions) - len(lost),
            lost=lost,
        )
        target.finish(copy, manifest.catalogue, found.all, manifest.to_json())
    return manifest


def _copy_originals(blobs: Blobs, target: Target, wanted: set[str], watch: Watch) -> set[str]:
    """Those that aren't there, or damaged."""
    missing = set()
    for done, digest in enumerate(sorted(wanted), start=1):
        if not target.has(digest):
            try:
                target.put(blobs.get(digest))
            except DataLost:
                missing.add(digest)
        watch(done)
    return missing


def _snapshot(path: Path, copy: Path) -> None:
    """The catalogue as it is now, in one file. Raises StoreUnavailable."""
    copy.unlink(missing_ok=True)
    with _reading(path) as source, closing(sqlite3.connect(copy)) as made:
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")  # all of it in this file
        faults = [row[0] for row in made.execute("PRAGMA quick_check")]
    copy.chmod(0o600)
    if faults != ["ok"]:
        raise StoreUnavailable(f"The catalogue {path} is damaged: {'; '.join(faults[:5])}.")


def named(path: Path) -> Named:
    """What a catalogue names. Raises StoreUnavailable."""
    with _reading(path) as connection:
        connection.execute("BEGIN")
        return Named(
            by_versions={row[0] for row in connection.execute(_OF_VERSIONS)},
            by_jobs={row[0] for row in connection.execute(_OF_JOBS)},
            documents=connection.execute(_DOCUMENTS).fetchone()[0],
        )


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            yield found
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The catalogue {path} can't be copied: {error}.") from error


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
