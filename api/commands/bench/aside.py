"""What the benchmarks of this process share: an engine of their own, over a folder that goes."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import settings
from retrieval.settings import EngineSettings

ModelOption = Annotated[
    str | None, typer.Option(help="The embedding model; by default that of the settings.")
]


def engine_settings(data: Path, model: str | None) -> EngineSettings:
    """Those of the environment, over this folder, with Chroma in it."""
    found = replace(settings(data).engine(), chroma_url="")
    return replace(found, embedding_model=model) if model else found
