"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp

from api import errors, exposure, openapi
from api.access import Access
from api.body_limit import Bodies, BodyLimit
from api.guard import Guard
from api.keyring import Keyring
from api.listeners import Listeners
from api.metrics.registry import Metrics
from api.ollama.gateway import gateway
from api.ollama.hosting import HostedModels
from api.ollama.passing import Upstream
from api.ollama.protocols import Protocols
from api.readiness import ReadinessWatch, readiness
from api.routes import (
    answers,
    documents,
    evaluation,
    feedback,
    health,
    jobs,
    kb,
    metrics,
    pages,
    reindexing,
    session,
    web,
)
from api.routes.dependencies import Blocking
from api.service import open_service
from api.settings import Settings
from api.syncing import mirroring
from api.tracing import Traced, Tracing, open_tracing
from api.version import VERSION
from api.visitors import Visitors, known_hosts
from api.wire.asking import Server
from api.wire.residence import Residence
from retrieval.ports import EmbeddingBackend

_DESCRIPTION = """
Documents in, answers out, every sentence with a footnote that the server has checked. Errors
are problem documents (RFC 9457). Offsets count Unicode code points of a document's text.
"""


class _Watched(FastAPI):
    """An application whose every request is seen, also by what answers errors nobody expected."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None, **options: Any) -> None:
        super().__init__(**options)
        self.state.metrics, self._tracing = metrics, tracing

    def build_middleware_stack(self) -> ASGIApp:
        return Access(super().build_middleware_stack(), self.state.metrics.requests, self._tracing)


def create_app(settings: Settings, backend: EmbeddingBackend | None = None) -> FastAPI:
    """The application over one data directory, open while the application runs."""

    counted, tracing = Metrics(), open_tracing()
    observer = Traced(counted.work, tracing) if tracing else counted.work

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_service(settings, backend, observer) as service:
            keys = service.engine.keys
            exposure.check(settings, keys=keys.any())
            # The first question shouldn't wait for the model to load.
            await anyio.to_thread.run_sync(lambda: service.engine.embedder.embed_query("warm up"))
            app.state.service = service
            app.state.keyring = Keyring(keys, service.engine.sessions)
            app.state.blocking = blocking = Blocking()
            app.state.readiness = ReadinessWatch(lambda: blocking.call(readiness, service))
            app.state.listeners = listeners = Listeners()
            counted.watch(service, listeners)
            models = HostedModels(service, blocking)
            upstream = (
                Upstream(service.engine.settings.ollama, stopping=service.stopping)
                if settings.ollama_host
                else None
            )
            app.state.gateway = gateway(models, Server(models, Residence()), upstream)
            service.jobs.start()
            service.reindexer.resume()
            with mirroring(service):
                yield
            if upstream:
                await upstream.close()
        if tracing:
            await anyio.to_thread.run_sync(tracing.close)

    app = _Watched(
        counted,
        tracing,
        title="Footnote",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        dependencies=[Depends(HTTPBearer(auto_error=False))],  # described; checked by the guard
    )
    bodies = Bodies(settings.max_upload_bytes, settings.max_request_bytes)
    app.add_middleware(BodyLimit, bodies=bodies)
    names = filter(None, map(str.strip, settings.allowed_hosts.split(",")))
    known_host = known_hosts(settings.host, list(names))
    app.add_middleware(Visitors, known_host=known_host)
    app.add_middleware(Protocols, known_host=known_host, bodies=bodies)
    app.add_middleware(Guard)
    errors.install(app)
    native = (
        health,
        metrics,
        kb,
        documents,
        pages,
        jobs,
        reindexing,
        answers,
        feedback,
        evaluation,
        session,
        web,
    )
    for routes in native:
        app.include_router(routes.router)
    openapi.describe(app)
    return app
