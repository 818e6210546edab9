"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from api.settings import Settings
from ingest.sources import Patterns

KnowledgeBaseOption = Annotated[
    str, typer.Option("--kb", "-k", help="The knowledge base.", show_default=True)
]


def _folder(given: str) -> Path:
    """The folder of a name. An empty one, as of an unset variable, isn't the working directory."""
    if not given:
        raise typer.BadParameter("It is empty: name a directory.")
    return Path(given)


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        parser=_folder,
        metavar="DIRECTORY",
        help="Data directory; by default FOOTNOTE_DATA or ./footnote-data.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(help="Of folders, only files that match this glob; may be repeated."),
]
ExcludeOption = Annotated[list[str] | None, typer.Option(help="But not those that match this one.")]
FilterOption = Annotated[
    str, typer.Option(help='Only documents whose metadata match, as JSON: {"year": 2026}.')
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

DEFAULT_KB = "default"


def patterns(include: IncludeOption, exclude: ExcludeOption) -> Patterns:
    """Which files of a folder are wanted."""
    return Patterns(tuple(include or ()), tuple(exclude or ()))


def settings(data: Path | None) -> Settings:
    """The settings of the environment, with the data directory that was given, if one was."""
    found = Settings()
    return found if data is None else found.model_copy(update={"data": data})
