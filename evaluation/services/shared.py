"""All that many processes share, each service over a folder of its own that goes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from evaluation.services.chroma import ChromaServer
from evaluation.services.object_store import ObjectStore
from evaluation.services.postgres import PostgresServer


class Service(Protocol):
    """A server that runs."""

    def start(self) -> None: ...

    def crash(self) -> None:
        """End it as if its machine had lost its power."""


@dataclass(frozen=True, slots=True)
class SharedServices:
    """Those that may crash, by name, and the environment in which a process finds them all."""

    crashable: Mapping[str, Service]
    environment: Mapping[str, str]


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
            {"postgres": postgres, "chroma": chroma},
            {
                "FOOTNOTE_DATABASE_URL": postgres.url,
                "FOOTNOTE_CHROMA_URL": chroma.url,
                "FOOTNOTE_BLOBS_URL": objects.url,
                **objects.environment,
            },
        )
