"""The HTTP application of a process that only ingests: whether it lives, what it has done.

Jobs come from the catalogue that it shares with those that serve. It loads a model when it has
something to embed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import roles
from api.application import Application
from api.routes import health, metrics
from api.service import Service
from api.settings import Settings
from api.syncing import mirroring
from retrieval.ports import EmbeddingBackend


def create_worker(settings: Settings, backend: EmbeddingBackend | None = None) -> FastAPI:
    """The application over one data directory, which ingests while it runs.

    `backend` stands in for the model that the settings name. Raises InvalidRequest where there are
    no jobs for it.
    """
    roles.check_working(settings)
    app = Application(settings, backend, _working, protocols=False, openapi_url=None)
    for routes in (health, metrics):
        app.include_router(routes.router)
    return app


@asynccontextmanager
async def _working(_app: FastAPI, service: Service) -> AsyncIterator[None]:
    service.jobs.start()
    with mirroring(service):
        yield
