"""The generations of a knowledge base: one is live, another may be built beside it or kept."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from sqlalchemy import exists, select, update

from retrieval.database import Database
from retrieval.embedding.identity import ModelIdentity
from retrieval.errors import KnowledgeBaseNotFound, Superseded
from retrieval.knowledge_bases import KnowledgeBases, add_generation
from retrieval.schema import LIVE_CHUNK, chunks, documents, generations, knowledge_bases
from retrieval.staging import advance
from retrieval.types import Chunking, Generation, KnowledgeBase


class State(StrEnum):
    """What a generation that isn't live is there for."""

    BUILDING = "building"
    REFUSED = "refused"  # built, but found to be worse
    READY = "ready"  # live, or kept to go back to


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked of a generation: to be used however it does, and what to compare it by.

    Questions come with the uri of the document that answers them.
    """

    force: bool = False
    questions: tuple[tuple[str, str], ...] = ()


class Generations:
    """Makes generations and switches between them. Switch only while nothing is published."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._knowledge_bases = KnowledgeBases(database)

    def begin(
        self, kb: KnowledgeBase, model: ModelIdentity, chunking: Chunking, wish: Wish
    ) -> KnowledgeBase:
        """The knowledge base with a generation of this model and chunking to be built.

        One that is there already, whole or not, is taken up again.
        """
        wanted = Generation(uuid.uuid4().hex, model, chunking.fingerprint)
        target = replace(kb, generation=wanted)
        for other in self.others(kb):
            if other.generation.fingerprint == wanted.fingerprint:
                target = other
        with self._database.write() as connection:
            if target.generation == wanted:
                add_generation(connection, target)
            connection.execute(
                update(generations)
                .where(generations.c.id == target.generation.id)
                .values(state=State.BUILDING.value, wish=asdict(wish))
            )
        return target

    def wish(self, kb: KnowledgeBase) -> Wish:
        """What was asked of this generation."""
        query = select(generations.c.wish).where(generations.c.id == kb.generation.id)
        with self._database.read() as connection:
            kept = connection.scalar(query) or {}
        questions = tuple((text, uri) for text, uri in kept.get("questions", ()))
        return Wish(kept.get("force", False), questions)

    def others(self, kb: KnowledgeBase, state: State | None = None) -> list[KnowledgeBase]:
        """The knowledge base with each of its generations that isn't live, oldest first."""
        found = self._knowledge_bases.generations(kb)
        live = self._live(kb)
        return [
            one
            for one in found
            if one.generation.id != live and (state is None or self.state(one) is state)
        ]

    def state(self, kb: KnowledgeBase) -> State:
        query = select(generations.c.state).where(generations.c.id == kb.generation.id)
        with self._database.read() as connection:
            return State(connection.execute(query).scalar_one())

    def mark(self, kb: KnowledgeBase, state: State) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(generations)
                .where(generations.c.id == kb.generation.id)
                .values(state=state.value)
            )

    def pending(self, kb: KnowledgeBase) -> list[str]:
        """The documents whose live version isn't in this generation yet."""
        there = exists().where(LIVE_CHUNK, chunks.c.generation_id == kb.generation.id)
        query = select(documents.c.id).where(
            documents.c.kb_id == kb.id, documents.c.live_version.is_not(None), ~there
        )
        with self._database.read() as connection:
            return [*connection.scalars(query.order_by(documents.c.id))]

    def make_live(self, kb: KnowledgeBase) -> None:
        """Let readers and writers use this generation from now on.

        Raises Superseded while documents are missing in it, or where it was forgotten meanwhile;
        KnowledgeBaseNotFound.
        """
        if missing := self.pending(kb):
            raise Superseded(f"{len(missing)} documents aren't in the new generation yet.")
        chunking = asdict(Chunking.from_fingerprint(kb.generation.chunker))
        mine = knowledge_bases.c.id == kb.id
        with self._database.write() as connection:
            settings = connection.scalar(select(knowledge_bases.c.settings).where(mine))
            if settings is None:
                raise KnowledgeBaseNotFound(kb.name)
            ready = connection.execute(
                update(generations)
                .where(generations.c.id == kb.generation.id)
                .values(state=State.READY.value)
            )
            if not ready.rowcount:
                raise Superseded(f"This generation of {kb.name!r} was forgotten meanwhile.")
            connection.execute(
                update(knowledge_bases)
                .where(mine)
                .values(generation_id=kb.generation.id, settings={**settings, "chunking": chunking})
            )
            advance(connection, kb)

    def unfinished(self) -> Sequence[KnowledgeBase]:
        """What is begun, by an earlier process say: of a knowledge base the last that was asked
        for.
        """
        begun = select(generations.c.id).where(generations.c.state == State.BUILDING.value)
        with self._database.read() as connection:
            ids = {*connection.scalars(begun)}
        if not ids:
            return []
        found = self._knowledge_bases.generations()
        return [*{one.id: one for one in found if one.generation.id in ids}.values()]

    def _live(self, kb: KnowledgeBase) -> str:
        query = select(knowledge_bases.c.generation_id).where(knowledge_bases.c.id == kb.id)
        with self._database.read() as connection:
            live = connection.scalar(query)
        if live is None:
            raise KnowledgeBaseNotFound(kb.name)
        return str(live)
