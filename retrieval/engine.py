"""The composition: the one place where services meet the adapters they run on."""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from retrieval.answer_log import AnswerLog
from retrieval.answering import Answering
from retrieval.audit import AuditLog
from retrieval.calibrating import Calibrator
from retrieval.calibration import Calibrations
from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.chat.ollama import OllamaChat
from retrieval.chunks import Chunks
from retrieval.database import Database
from retrieval.documents import Documents
from retrieval.embedding.cache import CachedEmbedder
from retrieval.embedding.choosing import Choosing, Wishes
from retrieval.embedding.claims import Claims
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.footnote import FootnoteBackend
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.ollama import OllamaBackend
from retrieval.embedding.registry import Embedders, LoadModel
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.errors import StoreUnavailable
from retrieval.explaining import Explainer
from retrieval.feedback import FeedbackLog
from retrieval.generating import Generating
from retrieval.indexing import Indexer
from retrieval.keys import ApiKeys
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.known_item_search import KnownItemSearcher
from retrieval.legs import Legs
from retrieval.locking import locked
from retrieval.observing import Observer, Unobserved
from retrieval.opening import open_stores
from retrieval.originals import open_originals
from retrieval.ports import Blobs, EmbeddingBackend, Reranker, Stores
from retrieval.reading.reader import Reader
from retrieval.recall_watch import RecallWatch
from retrieval.recording import Recorder
from retrieval.replaying import Replayer
from retrieval.rerankers.cross_encoder import CrossEncoderReranker
from retrieval.rerankers.http import HttpReranker
from retrieval.reranking import Reranking
from retrieval.resident import Residents
from retrieval.responding import Responding
from retrieval.restoring import check_whole
from retrieval.search import Searcher
from retrieval.sessions import Sessions
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings
from retrieval.verifying.verifier import Verifier
from retrieval.works import Works

_AT_OLLAMA = "ollama:"
_CATALOGUE = "catalogue.sqlite"
_IMPORT = 86_400.0  # seconds that an import by another process may take

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that can be done with knowledge bases, ready to be used by any thread."""

    settings: EngineSettings
    observer: Observer
    database: Database
    knowledge_bases: KnowledgeBases
    documents: Documents
    feedback: FeedbackLog
    blobs: Blobs
    stores: Stores
    embedders: Embedders
    claims: Claims
    indexer: Indexer
    chunks: Chunks
    residents: Residents
    watch: RecallWatch
    known_items: KnownItemSearcher
    calibrations: Calibrations
    calibrator: Calibrator
    searcher: Searcher
    explainer: Explainer
    answering: Answering
    answers: AnswerLog
    responding: Responding
    replayer: Replayer
    keys: ApiKeys
    sessions: Sessions
    audit: AuditLog
    works: Works

    @property
    def embedder(self) -> Embedder:
        """That of new knowledge bases, loaded when it is first asked for. Raises
        ModelUnavailable, ModelServerError.
        """
        return self.embedders.default

    def open(self, name: str) -> KnowledgeBase:
        """A knowledge base that can be searched and written.

        Raises KnowledgeBaseNotFound, and ModelMismatch where the model it was built with isn't
        the one that has its name now; ModelUnavailable, ModelServerError.
        """
        kb = self.knowledge_bases.get(name)
        self.embedders.of(kb)
        return kb

    def cached_embedder(self, kb: KnowledgeBase) -> CachedEmbedder:
        """What embeds the passages of a knowledge base, each once."""
        return CachedEmbedder(self.embedders.of(kb), self.database, self.claims)

    def create(
        self, name: str, settings: KnowledgeBaseSettings | None = None, *, only_new: bool = False
    ) -> tuple[KnowledgeBase, bool]:
        """The knowledge base of that name with these settings, and whether it is new.

        Without settings an existing one keeps its own. Raises InvalidRequest, KnowledgeBaseExists
        where it is to be new, and what `open` raises.
        """
        if existing := self.knowledge_bases.find(name):
            self.embedders.of(existing)
        identity = self.embedder.identity
        return self.knowledge_bases.put(name, settings, identity, only_new=only_new)


@contextmanager
def open_engine(
    settings: EngineSettings,
    backend: EmbeddingBackend | None = None,
    *,
    mend: bool = True,
    observer: Observer | None = None,
) -> Iterator[Engine]:
    """The engine over a data directory, which is this process's alone while it is open.

    What damaged the stores, or kept an earlier process from writing them, is mended unless told
    otherwise. `backend` stands in for the model that the settings name; `observer` is told what
    happens. Raises DataDirectoryLocked,
    ModelUnavailable, StoreUnavailable.
    """
    observer = observer or Unobserved()
    with ExitStack() as stack:
        stack.enter_context(locked(settings.data))
        check_whole(settings.data)
        database = catalogue(settings)
        stack.callback(database.close)
        embedders = Embedders(_loading(settings, backend))
        stack.callback(embedders.close)
        knowledge_bases, documents = KnowledgeBases(database), Documents(database)
        blobs = open_originals(settings, database)
        stack.callback(blobs.close)
        stores = stack.enter_context(open_stores(settings, database, mend))
        indexer = Indexer(database, stores, blobs)
        stack.callback(indexer.close)
        if mend:
            _forget_broken_off(knowledge_bases, indexer, shared=database.shared)
        works = Works(database)
        stack.callback(works.close)
        chunks, calibrations = Chunks(database), Calibrations(database)
        residents = Residents(database, settings.vector_memory_bytes)
        stack.callback(residents.close)
        watch = RecallWatch()
        stack.callback(watch.close)
        legs = Legs(stores, chunks, residents, watch, observer)
        stack.callback(legs.close)
        reranking = _reranking(settings)
        if reranking:
            stack.callback(reranking.reranker.close)
        known_items = KnownItemSearcher(embedders, stores, chunks, legs)
        searcher = Searcher(
            embedders, legs, chunks, knowledge_bases, calibrations, reranking, observer
        )
        answering = Answering(searcher, ExtractiveAnswerer(Reader(embedders)), documents, stores)
        answers, chat = AnswerLog(database), _chat(settings)
        generating = Generating(answering, documents, Verifier(embedders), chat) if chat else None
        recorder = Recorder(answers, embedders, chat)
        kept = recorder if settings.store_answers else None
        responding = Responding(answering, settings.chat_model, generating, chat, kept, observer)
        yield Engine(
            settings=settings,
            observer=observer,
            database=database,
            knowledge_bases=knowledge_bases,
            documents=documents,
            feedback=FeedbackLog(database),
            blobs=blobs,
            stores=stores,
            embedders=embedders,
            claims=Claims(),
            indexer=indexer,
            chunks=chunks,
            residents=residents,
            watch=watch,
            known_items=known_items,
            calibrations=calibrations,
            calibrator=Calibrator(stores, chunks, known_items, calibrations, works),
            searcher=searcher,
            explainer=Explainer(
                searcher, legs, chunks, documents, stores, knowledge_bases, calibrations
            ),
            answering=answering,
            answers=answers,
            responding=responding,
            replayer=Replayer(responding, recorder),
            keys=(keys := ApiKeys(database)),
            sessions=Sessions(database, keys),
            audit=AuditLog(database),
            works=works,
        )


def catalogue(settings: EngineSettings) -> Database:
    """The catalogue alone, for those who need nothing else, and need not be alone with it.

    Raises StoreUnavailable.
    """
    if settings.database_url:
        return Database(settings.database_url, settings.database_connections)
    directory = settings.data
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The data directory can't be used: {error}.") from error
    return Database.at(directory / _CATALOGUE)


def _reranking(settings: EngineSettings) -> Reranking | None:
    """What looks at candidates a second time, if anything is to. Raises ModelUnavailable."""
    name = settings.reranker
    if not name:
        return None
    reranker: Reranker
    if name.startswith(("http://", "https://")):
        reranker = HttpReranker(name)
    else:
        reranker = CrossEncoderReranker(
            name, settings.embedding_device, settings.embedding_download
        )
    return Reranking(reranker, settings.rerank_depth, settings.rerank_seconds)


def _forget_broken_off(knowledge_bases: KnowledgeBases, indexer: Indexer, *, shared: bool) -> None:
    """Remove what was being imported when a process died; another one may be at it still."""
    oldest = time.time() - _IMPORT if shared else math.inf
    for kb in knowledge_bases.prepared():
        if kb.created_at < oldest:
            indexer.remove_knowledge_base(kb)
            _log.warning("broken_off_import_removed", knowledge_base=kb.id)


def _chat(settings: EngineSettings) -> OllamaChat | None:
    """The chat models of the Ollama server, if there is one."""
    if not (settings.ollama.host or settings.chat_model):
        return None
    return OllamaChat(settings.ollama, settings.chat_context)


def load_backend(settings: EngineSettings, model: str = "", dtype: str = "") -> EmbeddingBackend:
    """An embedding model, by default the one that the settings name, at the servers that they name
    for it; with numbers of that type, by default those that suit it here. Raises ModelUnavailable,
    ModelServerUnavailable.
    """
    name = model or settings.embedding_model
    if settings.embedding_servers.urls and not model:
        return FootnoteBackend(name, settings.embedding_servers)
    if name == "hashing":
        return HashingBackend()
    if name.startswith(_AT_OLLAMA):
        return OllamaBackend(name.removeprefix(_AT_OLLAMA), settings.ollama)
    cache, device = ModelCache(settings.cache), settings.embedding_device
    found = SentenceModel(name, device, settings.embedding_download, cache)
    wishes = Wishes(settings.embedding_backend, dtype, settings.embedding_calibration)
    return Choosing(found, cache, wishes).open()


def _loading(settings: EngineSettings, default: EmbeddingBackend | None) -> LoadModel:
    def load(name: str, dtype: str) -> EmbeddingBackend:
        return default if default and not name else load_backend(settings, name, dtype)

    return load
