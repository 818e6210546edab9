"""The texts that eight-bit scales are taken from: a file's paragraphs, or those of a folder."""

from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import ModelUnavailable

_KINDS = (".md", ".txt")
_LONG = 700  # characters: paragraphs that come together to about a chunk


def read_passages(path: Path | None) -> list[str]:
    """Paragraphs and, as chunks are longer, runs of them. Raises ModelUnavailable."""
    if path is None:
        return []
    files = [path] if path.is_file() else sorted(p for k in _KINDS for p in path.glob(f"*{k}"))
    try:
        found = [text for file in files for text in _passages(file.read_text(encoding="utf-8"))]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"The texts to calibrate with can't be read: {error}.") from error
    if not found:
        raise ModelUnavailable(
            f"There is no text to calibrate with in {path}: give a text file, or a folder of "
            f"{' and '.join(_KINDS)} files."
        )
    return found


def _passages(text: str) -> Iterator[str]:
    gathered = ""
    for paragraph in filter(str.strip, text.split("\n\n")):
        yield paragraph.strip()
        gathered = f"{gathered} {paragraph.strip()}".lstrip()
        if len(gathered) >= _LONG:
            yield gathered
            gathered = ""
