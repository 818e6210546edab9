"""A backup laid out as a data directory. Nothing is embedded: the catalogue has the vectors."""

import sqlite3
from contextlib import closing
from pathlib import Path

from retrieval.backup import Manifest, Watch, file_digest, named
from retrieval.backup_targets import CATALOGUE, Source, reading
from retrieval.errors import DataLost, InvalidRequest, StoreUnavailable
from retrieval.locking import locked
from retrieval.stores.blobs import FileBlobs


def restore(where: Path, data: Path, watch: Watch) -> Manifest:
    """Lay a backup out in a directory that holds no catalogue yet. Opening it fills the stores.

    The catalogue comes last: what breaks off before leaves nothing that could be opened. Sessions
    that were open are over; keys are as they were, also those that were revoked since. Raises
    InvalidRequest where it is no whole backup, or the directory is in use; DataDirectoryLocked,
    StoreUnavailable.
    """
    with reading(where) as source, locked(data):
        manifest = Manifest.from_json(source.manifest())
        path = data / CATALOGUE
        if path.exists():
            raise InvalidRequest(
                f"{data} holds a catalogue already. Choose another directory with --data, or move "
                f"that one away."
            )
        part = data / f"{CATALOGUE}.part"
        try:
            source.copy_catalogue(manifest.catalogue, part)
            if file_digest(part) != manifest.catalogue:
                raise InvalidRequest(f"The catalogue in {where} is damaged.")
            _end_sessions(part)
            _copy_originals(source, part, FileBlobs(data / "blobs"), manifest, watch)
            part.rename(path)
        except OSError as error:
            raise StoreUnavailable(f"{data} can't be written: {error}.") from error
        finally:
            part.unlink(missing_ok=True)
    return manifest


def _end_sessions(catalogue: Path) -> None:
    """Forget who was signed in: they may have left since."""
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone():
            connection.execute("DELETE FROM sessions")


def _copy_originals(
    source: Source, catalogue: Path, blobs: FileBlobs, manifest: Manifest, watch: Watch
) -> None:
    found = named(catalogue)
    for done, digest in enumerate(sorted(found.all - {*manifest.lost}), start=1):
        try:
            blobs.put(source.original(digest))
        except DataLost:
            # Of a job that was being received; the next start says so, and asks for it again.
            if digest in found.by_versions:
                raise
        watch(done)
