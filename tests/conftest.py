"""Fixtures for all tests: typed factories, and a switch that keeps tests off the network."""

import functools
import ipaddress
import os
import shutil
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings

from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits
from retrieval.database import Database
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.ports import EmbeddingBackend
from tests import catalogues, servers, shared_stores
from tests.catalogues import engine_settings

MEGABYTE = 1024 * 1024

# A machine that is busy is no failure.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

OpenEngine = Callable[..., Engine]


class NetworkBlocked(Exception):
    """A test tried to reach something that isn't this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Connections and look-ups that leave this machine raise NetworkBlocked."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            original = getattr(socket.socket, name)

            def guarded(
                self: socket.socket, address: Any, original: Callable[..., Any] = original
            ) -> Any:
                if not _is_here(address):
                    raise NetworkBlocked(f"A test tried to connect to {address!r}.")
                return original(self, address)

            patch.setattr(socket.socket, name, guarded)
        look_up = socket.getaddrinfo

        def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host is not None and not _is_here((host,)):
                raise NetworkBlocked(f"A test tried to look up {host!r}.")
            return look_up(host, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Processes that tests begin heed an interrupt. Those that a shell puts into the background
    would leave it unheard, and so would their children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the environment of whoever runs the tests configures doesn't change them.

    Nor what was converted on this machine before: the model is converted once for all tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(_of_this_run(tmp_path_factory) / "cache"))
        for name in list(os.environ):
            if name.startswith(("FOOTNOTE_", "OLLAMA_", "OPENAI_")) and "_CI_" not in name:
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_migration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New catalogues are copies of one that went through the migrations, which spares half of the
    time in which an engine opens. On a server `catalogues` has one to copy.
    """
    whole = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite"
    Database.at(whole).close()
    at = Database.at

    def copied(path: Path) -> Database:
        if not path.exists():
            with suppress(OSError):  # opening it is to say what is wrong
                shutil.copyfile(whole, path)
        return at(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "at", copied)
        yield
    catalogues.drop_template()


@pytest.fixture(autouse=True, scope="session")
def _one_reading() -> Iterator[None]:
    """What S3 understands, and whose certificates are trusted, is read once, not by every client:
    most of the time that opening an engine takes on servers. botocore itself remembers the one for
    the clients of a session.
    """
    read = functools.cache(functools.partial(JSONFileLoader._load_file, JSONFileLoader()))
    trusting = functools.cache(ssl.create_default_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "_load_file", lambda _, *file: read(*file))
        patch.setattr(ssl, "create_default_context", trusting)
        yield


@pytest.fixture(autouse=True)
def _catalogues() -> Iterator[None]:
    """A test's catalogues go with it, after whatever has them open."""
    with shared_stores.dropping(), catalogues.dropping():
        yield


@pytest.fixture(scope="session")
def chroma_url() -> Iterator[str]:
    """A Chroma server: that of `tests.servers`, or one of this session."""
    if shared_stores.SERVER:
        yield shared_stores.SERVER
        return
    with servers.chroma() as running:
        yield running.url


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """The URL of a bucket in a stand-in for S3, which the environment tells how to reach."""
    if shared_stores.BUCKET:
        yield shared_stores.BUCKET
        return
    with servers.s3() as told, pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        yield told[servers.BLOBS]


def _of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all processes that run tests together."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def open_test_engine(tmp_path: Path) -> Iterator[OpenEngine]:
    """Opens engines, by default over one directory and with the hashing embedder.

    Opening another closes the one before, so that a directory can be opened again.
    """
    with ExitStack() as last:

        def open_one(backend: EmbeddingBackend | None = None, data: Path | None = None) -> Engine:
            last.close()
            settings = engine_settings(data or tmp_path / "data")
            return last.enter_context(open_engine(settings, backend or HashingBackend()))

        yield open_one


@pytest.fixture
def engine(open_test_engine: OpenEngine) -> Engine:
    """An engine over an empty directory, with the hashing embedder."""
    return open_test_engine()


@pytest.fixture
def pipeline(engine: Engine) -> Pipeline:
    """The way into that engine, parsing in this process."""
    return Pipeline(engine, InProcessParser(ParseLimits()), max_bytes=64 * MEGABYTE)
