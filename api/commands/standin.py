"""`footnote stand-in`."""

import time
from typing import Annotated

import typer

from api.console import err
from api.standin.catalogue import default_models
from api.standin.server import create_standin, running


def standin(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 11435,
    embedding_seconds: Annotated[
        float, typer.Option(min=0, help="How long a text takes to embed.")
    ] = 0.0,
    token_seconds: Annotated[float, typer.Option(min=0, help="How long a word takes.")] = 0.0,
) -> None:
    """Run a stand-in for an Ollama server, to try things without one. Its answers are made up."""
    models = default_models(embedding_seconds=embedding_seconds, part_seconds=token_seconds)
    with running(create_standin(models), port) as url:
        names = ", ".join(model.card.name.short for model in models)
        err.print(f"A stand-in for Ollama: OLLAMA_HOST={url} ({names})")
        try:
            while True:
                time.sleep(3_600)
        except KeyboardInterrupt:
            pass
