"""All that many processes share, each service over a folder of its own that goes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from evaluation.services.chroma import ChromaServer
from evaluation.services.object_store import ObjectStore
from evaluation.services.postgres import PostgresServer
from retrieval.settings import EngineSettings
from retrieval.stores.chroma_settings import ChromaSettings


class Service(Protocol):
    """A server that runs."""

    def start(self) -> None: ...

    def crash(self) -> None:
        """End it as if its machine had lost its power."""


class Stallable(Protocol):
    """A server that can be made to hang, as one does whose disk or network doesn't answer."""

    def stall(self) -> None: ...

    def resume(self) -> None: ...


@contextmanager
def stalled(server: Stallable) -> Iterator[None]:
    """It hangs until the block ends."""
    server.stall()
    try:
        yield
    finally:
        server.resume()


@dataclass(frozen=True, slots=True)
class SharedServices:
    """Those that may crash and those that may hang, by name, and the environment in which a process
    finds them all. `pids` are those of all of them, by name, when they were started, and `folders`
    where those lie that keep something on disk.
    """

    crashable: Mapping[str, Service]
    stallable: Mapping[str, Stallable]
    environment: Mapping[str, str]
    pids: Mapping[str, int]
    folders: Mapping[str, Path]

    @contextmanager
    def used_by(self, settings: EngineSettings) -> Iterator[EngineSettings]:
        """The settings of an engine in this process that has its data on them. Credentials of S3
        are found in the environment, in which they are while the block lasts.
        """
        told, before = self.environment, dict(os.environ)
        os.environ.update(told)
        try:
            yield replace(
                settings,
                database_url=told["FOOTNOTE_DATABASE_URL"],
                chroma=ChromaSettings(told["FOOTNOTE_CHROMA_URL"]),
                blobs_url=told["FOOTNOTE_BLOBS_URL"],
            )
        finally:
            for name in told:
                os.environ.pop(name)
            os.environ.update(before)


@contextmanager
def shared_services(**postgres_options: str) -> Iterator[SharedServices]:
    """A Postgres and a Chroma server and a stand-in for S3, gone with the block. Raises LoadError
    where one isn't installed.
    """
    with (
        TemporaryDirectory(prefix="footnote-postgres-", ignore_cleanup_errors=True) as rows,
        TemporaryDirectory(prefix="footnote-chroma-", ignore_cleanup_errors=True) as vectors,
        PostgresServer(Path(rows), **postgres_options) as postgres,
        ChromaServer(Path(vectors)) as chroma,
        ObjectStore() as objects,
    ):
        yield SharedServices(
            crashable={"postgres": postgres, "chroma": chroma},
            stallable={"s3": objects},
            environment={
                "FOOTNOTE_DATABASE_URL": postgres.url,
                "FOOTNOTE_CHROMA_URL": chroma.url,
                "FOOTNOTE_BLOBS_URL": objects.url,
                **objects.environment,
            },
            pids={"Postgres": postgres.pid, "Chroma": chroma.pid, "S3": objects.pid},
            folders={"Postgres": Path(rows), "Chroma": Path(vectors)},
        )
