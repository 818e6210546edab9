"""Writes that are sent until they are done, whatever happens to the server meanwhile."""

from dataclasses import dataclass

from evaluation.serving_soak.calling import Kind, Lost, Wrong
from evaluation.serving_soak.library import Library
from evaluation.serving_soak.writing import Writing


@dataclass(frozen=True, slots=True)
class Held:
    """A document that was acknowledged."""

    id: str
    writing: Writing


async def written(
    library: Library, writing: Writing, old: Held | None, *, wait: bool, by_id: bool
) -> Held:
    """The document, when it is there: a new one, or in place of the `old`, which is named by its id
    or by its uri. Raises Lost, Wrong.
    """
    known = old.id if old and by_id else None
    while True:
        library.ledger.write(writing.uri, writing.text)
        try:
            job, told = await library.send(writing, known, wait=wait)
        except Lost:
            if held := await _after_loss(library, writing, old):
                return held
        else:
            document_id = await library.done(job)
            library.caller.took(Kind.SEARCHABLE, told.url, told.began)
            return Held(document_id, writing)


async def removed(library: Library, held: Held) -> None:
    """Returns when the document isn't there. Raises Lost, Wrong."""
    try:
        await library.delete(held.id, known=True)
    except Lost:
        while await _is_whole(library, held):
            try:
                await library.delete(held.id, known=False)
            except Lost:
                continue
            return


async def _after_loss(library: Library, writing: Writing, old: Held | None) -> Held | None:
    """The document, if what was sent without an acknowledgement is there. Raises Wrong where it is
    in part, or what was there before is gone.
    """
    faults = library.caller.faults
    await library.settled(writing.uri)
    found = await library.listed(writing.uri)
    if not found:
        if old:
            faults.add("lost write", f"{writing.uri} is gone after an update")
            raise Wrong
        library.ledger.forget(writing.uri)
        return None
    text = await library.text(found[0].id)
    if text == writing.text:
        return Held(found[0].id, writing)
    if old and text == old.writing.text:
        library.ledger.forget(writing.uri, but=text)
        return None
    faults.add("in part", f"{writing.uri} after a kill", writing.text, str(text))
    raise Wrong


async def _is_whole(library: Library, held: Held) -> bool:
    """Whether what was to be deleted is still there, all of it. Raises Wrong where a part is."""
    text = await library.text(held.id)
    if text is None:
        return False
    if text != held.writing.text:
        what = f"{held.writing.uri} after a kill"
        library.caller.faults.add("in part", what, held.writing.text, text)
        raise Wrong
    for fact in held.writing.facts:
        await library.search(fact, held.writing)
    return True
