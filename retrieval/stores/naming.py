"""What a store may be called: the same on disk and in Chroma."""

import re

from retrieval.errors import InvalidRequest

# Chroma takes 3 to 512 of these characters; a file system, 255 bytes.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,198}[a-zA-Z0-9]")


def checked(name: str) -> str:
    """The name, if a store may have it. Raises InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"A store can't be named {name!r}: use 3 to 200 letters, digits, dots, dashes and "
            f"underscores, with a letter or digit at both ends."
        )
    return name
