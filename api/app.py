"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from api import openapi, roles
from api.application import Application
from api.ollama.gateway import gateway
from api.ollama.hosting import HostedModels
from api.ollama.passing import Upstream
from api.routes import (
    answers,
    documents,
    evaluation,
    feedback,
    health,
    info,
    jobs,
    kb,
    metrics,
    pages,
    reindexing,
    session,
    web,
)
from api.service import Service
from api.settings import Settings
from api.syncing import mirroring
from api.wire.asking import Server
from api.wire.residence import Residence
from retrieval.ports import EmbeddingBackend

_DESCRIPTION = """
Documents in, answers out, every sentence with a footnote that the server has checked. Errors
are problem documents (RFC 9457). Offsets count Unicode code points of a document's text.
"""


def create_app(settings: Settings, backend: EmbeddingBackend | None = None) -> FastAPI:
    """The application over one data directory, open while the application runs.

    `backend` stands in for the model that the settings name. Raises InvalidRequest where nobody
    would ingest what it accepts.
    """
    roles.check_serving(settings)
    app = Application(
        settings,
        backend,
        _serving,
        protocols=True,
        description=_DESCRIPTION,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        dependencies=[Depends(HTTPBearer(auto_error=False))],  # described; checked by the guard
    )
    native = (
        health,
        info,
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


@asynccontextmanager
async def _serving(app: FastAPI, service: Service) -> AsyncIterator[None]:
    # The first question shouldn't wait for the model to load.
    await anyio.to_thread.run_sync(lambda: service.engine.embedder.embed_query("warm up"))
    models = HostedModels(service, app.state.blocking)
    upstream = (
        Upstream(service.engine.settings.ollama, stopping=service.stopping)
        if service.settings.ollama_host
        else None
    )
    app.state.gateway = gateway(models, Server(models, Residence()), upstream)
    service.jobs.start()
    service.reindexer.resume()
    with mirroring(service):
        yield
    if upstream:
        await upstream.close()
