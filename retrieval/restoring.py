"""A backup laid out as a data directory. Nothing is embedded: the catalogue has the vectors."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from retrieval.backup import Manifest, Watch, file_digest, named
from retrieval.backup_targets import CATALOGUE, Source, reading
from retrieval.errors import DataLost, InvalidRequest, StoreUnavailable
from retrieval.installation import MARK
from retrieval.locking import locked
from retrieval.originals import ClaimableBlobs
from retrieval.ports import Blobs
from retrieval.stores.blobs import FileBlobs

PART = f"{CATALOGUE}.part"


def restore(
    where: Path, data: Path, blobs: FileBlobs | ClaimableBlobs, watch: Watch
) -> tuple[Manifest, Sequence[str]]:
    """Lay a backup out in a directory that holds no catalogue yet, and its originals where none
    are: what it was, and the originals that are gone or damaged in it. Opening the directory fills
    the stores.

    The catalogue comes last: what breaks off before leaves nothing that could be opened. Sessions
    that were open are over; keys are as they were, also those that were revoked since. It is
    another installation than the one that was backed up, which may still run. Raises
    InvalidRequest where it is no whole backup, or the directory or the place of originals is in
    use; DataDirectoryLocked, StoreUnavailable.
    """
    with reading(where) as source, locked(data):
        manifest = Manifest.from_json(source.manifest())
        path = data / CATALOGUE
        if path.exists():
            raise InvalidRequest(
                f"{data} holds a catalogue already. Choose another directory with --data, or move "
                f"that one away."
            )
        if not isinstance(blobs, FileBlobs) and blobs.owner() is not None:
            raise InvalidRequest(
                "An installation has its originals where FOOTNOTE_BLOBS_URL says: name another "
                "prefix."
            )
        part = data / PART
        try:
            source.copy_catalogue(manifest.catalogue, part)
            if file_digest(part) != manifest.catalogue:
                raise InvalidRequest(f"The catalogue in {where} is damaged.")
            _begin_anew(part)
            gone = _copy_originals(source, part, blobs, manifest, watch)
            part.rename(path)
        except OSError as error:
            raise StoreUnavailable(f"{data} can't be written: {error}.") from error
        finally:
            part.unlink(missing_ok=True)
    return manifest, gone


def check_whole(data: Path) -> None:
    """Raises StoreUnavailable for a directory whose restoring broke off."""
    if (data / PART).exists() and not (data / CATALOGUE).exists():
        raise StoreUnavailable(
            f"Restoring a backup into {data} broke off. Restore it again; or, to begin with "
            f"nothing, delete {PART} there."
        )


def _begin_anew(catalogue: Path) -> None:
    """Forget who was signed in, who may have left since; and which installation it was, so that
    nothing of that one's is touched on servers.
    """
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "sessions" in tables:
            connection.execute("DELETE FROM sessions")
        if "marks" in tables:
            connection.execute("DELETE FROM marks WHERE name = ?", (MARK,))


def _copy_originals(
    source: Source, catalogue: Path, blobs: Blobs, manifest: Manifest, watch: Watch
) -> list[str]:
    """Those of documents that are gone or damaged."""
    found, gone = named(catalogue), list[str]()
    for done, digest in enumerate(sorted(found.all - {*manifest.lost}), start=1):
        try:
            blobs.put(source.original(digest))
        except DataLost:
            # One of a job was being received; the next start says so, and asks for it again.
            if digest in found.by_versions:
                gone.append(digest)
        watch(done)
    return gone
