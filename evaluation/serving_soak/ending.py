"""What must be there in the end: every document that was acknowledged, once, and no other."""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from evaluation.errors import LoadError
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.insisting import Held
from evaluation.serving_soak.library import Library

_PAGE = 200
_PATIENCE = 600.0  # seconds
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Writes(Protocol):
    """Whoever wrote documents: those that are there, and the uris of those that may be."""

    @property
    def held(self) -> Sequence[Held]: ...

    @property
    def given_up(self) -> Collection[str]: ...


async def check_inventory(library: Library, clients: Sequence[Writes]) -> int:
    """How many documents there are. What clients gave up on, which they told, may be there."""
    faults, seen = library.caller.faults, [uri async for uri in _uris(library)]
    expected = {held.writing.uri: held for client in clients for held in client.held}
    unknown = {uri for client in clients for uri in client.given_up}
    for uri in sorted({uri for uri in seen if seen.count(uri) > 1}):
        faults.add("doubled", f"{uri} is there {seen.count(uri)} times in the end")
    for uri in sorted(set(expected) - set(seen)):
        faults.add("lost write", f"{uri} isn't there in the end")
    for uri in sorted(set(seen) - set(expected) - unknown):
        faults.add("undead", f"{uri} is there in the end")
    for uri in sorted(set(expected) & set(seen)):
        await library.check_text(expected[uri].id, expected[uri].writing.text)
    return len(seen)


async def _uris(library: Library) -> AsyncIterator[str]:
    """Of all documents, a page after the other."""
    found = 0
    while True:
        page = await library.page(found, _PAGE)
        for document in page.documents:
            yield document.uri
        found += len(page.documents)
        if not page.documents or found >= page.total:
            return


def check_health(
    command: Sequence[str], data: Path, faults: Faults, environment: Mapping[str, str] = _NOTHING
) -> tuple[str, ...]:
    """What `footnote doctor` says of a data directory that nobody uses, a finding a line. Raises
    LoadError where it can't tell.
    """
    ran = subprocess.run(  # noqa: S603 - this interpreter and a module of ours
        [*command, "--data", str(data), "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        env={**os.environ, **environment},
        check=False,
    )
    try:
        findings = json.loads(ran.stdout)
    except ValueError as error:
        raise LoadError(f"footnote doctor says nothing: {ran.stderr.strip()[-500:]}") from error
    for one in findings:
        if not one["ok"]:
            faults.add("doctor", f"{one['subject']}: {one['detail']}")
    if ran.returncode and not any(not one["ok"] for one in findings):
        faults.add("doctor", f"it ended with status {ran.returncode}")
    return tuple(f"{one['subject']}: {one['detail']}" for one in findings)
