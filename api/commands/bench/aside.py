"""What benchmarks share: an engine, or a server, of their own over a folder that goes."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import settings
from retrieval.settings import EngineSettings

SERVE = (sys.executable, "-P", "-m", "api.commands.bench.child_server", "serve")
"""A server that ends with whoever has started it."""

WORK = (*SERVE[:-1], "work")
"""The same of one that only ingests."""

ModelOption = Annotated[
    str | None, typer.Option(help="The embedding model; by default that of the settings.")
]


def engine_settings(data: Path, model: str | None) -> EngineSettings:
    """Those of the environment, over this folder, with all data in it."""
    found = settings(data).engine().aside(data)
    return replace(found, embedding_model=model) if model else found
