"""What the HTTP applications have in common: a service that is open while they run, and a guard."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp

from api import errors, exposure
from api.access import Access
from api.body_limit import Bodies, BodyLimit
from api.guard import Guard
from api.keyring import Keyring
from api.listeners import Listeners
from api.metrics.registry import Metrics
from api.ollama.protocols import Protocols
from api.readiness import ReadinessWatch, readiness
from api.routes.dependencies import Blocking
from api.service import Service, open_service
from api.settings import Settings
from api.tracing import Traced, open_tracing
from api.version import VERSION
from api.visitors import Visitors, known_hosts
from retrieval.ports import EmbeddingBackend

Role = Callable[[FastAPI, Service], AbstractAsyncContextManager[None]]
"""What a process does with its service, from before it answers until it stops."""


class Application(FastAPI):
    """An application over one data directory, open while it runs.

    Its every request is seen, also by what answers errors nobody expected. Its state holds what
    middleware and routes share.
    """

    def __init__(
        self,
        settings: Settings,
        backend: EmbeddingBackend | None,
        role: Role,
        *,
        protocols: bool,
        **options: Any,
    ) -> None:
        """`protocols`: whether Ollama's and OpenAI's clients are answered, by the `gateway` that
        the role puts into the state.
        """
        self._settings, self._backend, self._role = settings, backend, role
        self._tracing = open_tracing()
        super().__init__(
            title="Footnote", version=VERSION, lifespan=lambda _: self._open(), **options
        )
        self.state.metrics = Metrics()
        bodies = Bodies(settings.max_upload_bytes, settings.max_request_bytes)
        names = filter(None, map(str.strip, settings.allowed_hosts.split(",")))
        known_host = known_hosts(settings.host, list(names))
        self.add_middleware(BodyLimit, bodies=bodies)
        self.add_middleware(Visitors, known_host=known_host)
        if protocols:
            self.add_middleware(Protocols, known_host=known_host, bodies=bodies)
        self.add_middleware(Guard)
        errors.install(self)

    def build_middleware_stack(self) -> ASGIApp:
        return Access(super().build_middleware_stack(), self.state.metrics.requests, self._tracing)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        state, counted, tracing = self.state, self.state.metrics, self._tracing
        observer = Traced(counted.work, tracing) if tracing else counted.work
        with open_service(self._settings, self._backend, observer) as service:
            keys = service.engine.keys
            exposure.check(self._settings, keys=keys.any())
            state.service = service
            state.keyring = Keyring(keys, service.engine.sessions, service.engine.database)
            state.blocking = blocking = Blocking()
            state.readiness = ReadinessWatch(lambda: readiness(service, blocking))
            state.listeners = Listeners()
            counted.watch(service, state.listeners)
            async with self._role(self, service):
                yield
        if tracing:
            await anyio.to_thread.run_sync(tracing.close)
