"""Knowledge bases in the catalogue."""

import re
import time
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from retrieval import access
from retrieval.database import Database
from retrieval.embedding.identity import ModelIdentity
from retrieval.errors import (
    InvalidRequest,
    KnowledgeBaseExists,
    KnowledgeBaseNotFound,
    NotPermitted,
)
from retrieval.fusion import Fusion
from retrieval.schema import (
    CALIBRATED_AT,
    LIVE_CHUNK,
    calibrations,
    chunks,
    documents,
    generations,
    knowledge_bases,
)
from retrieval.types import Chunking, Generation, KnowledgeBase, KnowledgeBaseSettings

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")

_SELECTED = select(
    knowledge_bases.c.id,
    knowledge_bases.c.name,
    knowledge_bases.c.settings,
    knowledge_bases.c.created_at,
    generations.c.id.label("generation_id"),
    generations.c.model,
    generations.c.chunker,
)
_LIVE = _SELECTED.join(generations, generations.c.id == knowledge_bases.c.generation_id)
_ASIDE = "."  # begins the name of one that isn't whole yet, which no other name does
_IS_ASIDE = knowledge_bases.c.name.startswith(_ASIDE)
_COLUMNS = _LIVE.where(~_IS_ASIDE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a search depends on besides its own generation: read at once, so all of one moment.

    `epoch` grows with every change of what is live, `generation` is the id of the one that readers
    have, `calibrated_at` when the legs of the one that is searched were measured, if they were.
    """

    epoch: int
    generation: str
    calibrated_at: float | None


class KnowledgeBases:
    """Creates, finds and changes knowledge bases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        name: str,
        settings: KnowledgeBaseSettings | None,
        model: ModelIdentity,
        *,
        only_new: bool = False,
    ) -> tuple[KnowledgeBase, bool]:
        """The knowledge base of that name with these settings, and whether it is new.

        A new one gets this model; one that is there keeps its own, and without settings those.
        Raises InvalidRequest for a bad name or setting, or where documents are already cut in
        another way; KnowledgeBaseExists where it is to be new; NotPermitted for a name that can't
        exist for who asks, be it taken or free.
        """
        _check(name, settings or KnowledgeBaseSettings())
        if not access.may_see(name):
            raise NotPermitted(f"This key isn't for the knowledge base {name!r}.")
        with self._database.write() as connection:
            existing = _find(connection, name)
            if existing:
                if only_new:
                    raise KnowledgeBaseExists(name)
                if settings is None:
                    return existing, False
                return _change(connection, existing, settings), False
            return _add(connection, name, settings or KnowledgeBaseSettings(), model), True

    def prepare(
        self, name: str, settings: KnowledgeBaseSettings, model: ModelIdentity
    ) -> KnowledgeBase:
        """A new knowledge base that nobody finds before it is told to have this name: see `reveal`.

        Raises InvalidRequest where it can't have it.
        """
        _check(name, settings)
        with self._database.write() as connection:
            _check_free(connection, name)
            return _add(connection, f"{_ASIDE}{uuid.uuid4().hex}", settings, model)

    def reveal(self, kb: KnowledgeBase, name: str) -> KnowledgeBase:
        """Let a knowledge base that was prepared be found. Raises InvalidRequest where the name is
        taken by now.
        """
        with self._database.write() as connection:
            _check_free(connection, name)
            connection.execute(
                update(knowledge_bases).where(knowledge_bases.c.id == kb.id).values(name=name)
            )
        return replace(kb, name=name)

    def prepared(self) -> list[KnowledgeBase]:
        """Those that nobody finds yet, or, where their process died, ever will."""
        with self._database.read() as connection:
            return [_from_row(row) for row in connection.execute(_LIVE.where(_IS_ASIDE))]

    def get(self, name: str) -> KnowledgeBase:
        """The knowledge base of that name. Raises KnowledgeBaseNotFound.

        Every read of documents, vectors and postings starts with a knowledge base from here, and
        one that isn't for who asks doesn't exist: see `retrieval.access`.
        """
        found = self.find(name)
        if found is None:
            raise KnowledgeBaseNotFound(name)
        return found

    def find(self, name: str) -> KnowledgeBase | None:
        """The knowledge base of that name, if there is one."""
        with self._database.glance() as connection:
            return _find(connection, name)

    def by_id(self, kb_id: str) -> KnowledgeBase | None:
        with self._database.glance() as connection:
            mine = access.restricted(knowledge_bases.c.id)
            row = connection.execute(_COLUMNS.where(knowledge_bases.c.id == kb_id, mine)).first()
        return _from_row(row) if row else None

    def all(self) -> list[KnowledgeBase]:
        """All knowledge bases by name."""
        query = _COLUMNS.where(access.restricted(knowledge_bases.c.id))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(knowledge_bases.c.name)).all()
        return [_from_row(row) for row in rows]

    def generations(self, kb: KnowledgeBase | None = None) -> list[KnowledgeBase]:
        """Knowledge bases, or one of them, with each generation that they have, oldest first."""
        query = _SELECTED.join(generations, generations.c.kb_id == knowledge_bases.c.id)
        query = query.where(access.restricted(knowledge_bases.c.id))
        query = query.order_by(knowledge_bases.c.name, generations.c.created_at, generations.c.id)
        if kb is not None:
            query = query.where(knowledge_bases.c.id == kb.id)
        with self._database.read() as connection:
            return [_from_row(row) for row in connection.execute(query)]

    def counts(self, kb: KnowledgeBase) -> tuple[int, int]:
        """How many documents and chunks are live."""
        live = (documents.c.kb_id == kb.id) & documents.c.live_version.is_not(None)
        of_live = LIVE_CHUNK & (chunks.c.generation_id == kb.generation.id)
        with self._database.read() as connection:
            document_count = connection.scalar(
                select(func.count()).select_from(documents).where(live)
            )
            chunk_count = connection.scalar(
                select(func.count()).select_from(chunks.join(documents, of_live)).where(live)
            )
        return document_count or 0, chunk_count or 0

    def standing(self, kb: KnowledgeBase) -> Standing:
        """What readers of it are to see now, whichever process changed it last. Raises
        KnowledgeBaseNotFound.
        """
        query = (
            select(knowledge_bases.c.epoch, knowledge_bases.c.generation_id, CALIBRATED_AT)
            .outerjoin(calibrations, calibrations.c.generation_id == kb.generation.id)
            .where(knowledge_bases.c.id == kb.id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise KnowledgeBaseNotFound(kb.name)
        return Standing(*row)

    def epoch(self, kb: KnowledgeBase) -> int:
        """A number that grows whenever the set of live versions changes, or their generation."""
        return self.standing(kb).epoch

    def live(self, kb: KnowledgeBase) -> KnowledgeBase:
        """The knowledge base with the generation that readers have now. Raises
        KnowledgeBaseNotFound.
        """
        with self._database.read() as connection:
            row = connection.execute(_LIVE.where(knowledge_bases.c.id == kb.id)).first()
        if row is None:
            raise KnowledgeBaseNotFound(kb.name)
        return replace(kb, generation=_from_row(row).generation)


def _add(
    connection: Connection, name: str, settings: KnowledgeBaseSettings, model: ModelIdentity
) -> KnowledgeBase:
    kb = KnowledgeBase(
        id=uuid.uuid4().hex,
        name=name,
        settings=settings,
        generation=Generation(uuid.uuid4().hex, model, settings.chunking.fingerprint),
        created_at=time.time(),
    )
    connection.execute(
        knowledge_bases.insert().values(
            id=kb.id,
            name=name,
            settings=asdict(settings),
            generation_id=kb.generation.id,
            epoch=0,
            created_at=kb.created_at,
        )
    )
    add_generation(connection, kb)
    return kb


def _check_free(connection: Connection, name: str) -> None:
    if connection.scalar(select(knowledge_bases.c.id).where(knowledge_bases.c.name == name)):
        raise InvalidRequest(f"{name!r} is there already: name another with --kb.")


def add_generation(connection: Connection, kb: KnowledgeBase) -> None:
    """Write down the generation of this knowledge base, which needn't be live."""
    connection.execute(
        generations.insert().values(
            id=kb.generation.id,
            kb_id=kb.id,
            model=kb.generation.model.to_json(),
            model_fingerprint=kb.generation.model.fingerprint,
            chunker=kb.generation.chunker,
            created_at=time.time(),
        )
    )


def _check(name: str, settings: KnowledgeBaseSettings) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} can't name a knowledge base: use 1 to 64 of a-z, 0-9, '.', '_' and '-', "
            f"with a letter or digit at both ends."
        )
    weight = settings.dense_weight
    if weight is not None and not 0.0 <= weight <= 1.0:
        raise InvalidRequest(f"dense_weight is {weight}; it lies within 0 and 1.")
    least = settings.min_confidence
    if least is not None and not 0.0 <= least <= 1.0:
        raise InvalidRequest(f"min_confidence is {least}; it lies within 0 and 1.")
    check_chunking(settings.chunking)


def check_chunking(cut: Chunking) -> None:
    """Raises InvalidRequest for numbers that don't fit."""
    if cut.tokens and not 32 <= cut.tokens <= 32_768:
        raise InvalidRequest(
            f"chunking.tokens is {cut.tokens}; it lies within 32 and 32768, or is 0 for 512 or "
            f"the embedder's window."
        )
    if not 0 <= cut.overlap <= (cut.tokens or 64) // 2:
        raise InvalidRequest(
            f"chunking.overlap is {cut.overlap}; it lies within 0 and half of chunking.tokens."
        )


def _change(
    connection: Connection, kb: KnowledgeBase, settings: KnowledgeBaseSettings
) -> KnowledgeBase:
    has_documents = connection.scalar(
        select(documents.c.id)
        .where(documents.c.kb_id == kb.id, documents.c.live_version.is_not(None))
        .limit(1)
    )
    if has_documents:  # they stay as they are cut until somebody reindexes
        chunking = replace(settings.chunking, method=kb.settings.chunking.method)
        settings = replace(settings, chunking=chunking)
    chunker = settings.chunking.fingerprint
    if chunker != kb.generation.chunker and has_documents:
        raise InvalidRequest(
            f"The documents of {kb.name!r} are cut with {kb.generation.chunker}; with documents "
            f"in it that can't become {chunker}: reindex it, or use a new knowledge base."
        )
    connection.execute(
        update(knowledge_bases)
        .where(knowledge_bases.c.id == kb.id)
        .values(settings=asdict(settings))
    )
    connection.execute(
        update(generations).where(generations.c.id == kb.generation.id).values(chunker=chunker)
    )
    changed = _find(connection, kb.name)
    if changed is None:
        raise KnowledgeBaseNotFound(kb.name)
    return changed


def _find(connection: Connection, name: str) -> KnowledgeBase | None:
    if not _NAME.fullmatch(name):
        return None  # nor is it asked for, which half a character couldn't be
    mine = access.restricted(knowledge_bases.c.id)
    row = connection.execute(_COLUMNS.where(knowledge_bases.c.name == name, mine)).first()
    return _from_row(row) if row else None


def _from_row(row: Row[*tuple[Any, ...]]) -> KnowledgeBase:
    settings = dict(row.settings)
    return KnowledgeBase(
        id=row.id,
        name=row.name,
        settings=KnowledgeBaseSettings(
            chunking=Chunking(**settings["chunking"]),
            # Not in what earlier versions wrote, whose weight was 0.5 where nobody asked for any.
            fusion=Fusion(settings.get("fusion", Fusion.BACKGROUND)),
            dense_weight=settings["dense_weight"] if "fusion" in settings else None,
            chat_model=settings.get("chat_model", ""),
            system_prompt=settings.get("system_prompt", ""),
            min_confidence=settings.get("min_confidence"),
            description=settings.get("description", ""),
        ),
        generation=Generation(row.generation_id, ModelIdentity.from_json(row.model), row.chunker),
        created_at=row.created_at,
    )
