from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from retrieval.engine import Engine
from retrieval.errors import InvalidRequest, KnowledgeBaseNotFound
from retrieval.fusion import Fusion
from retrieval.types import Chunking, KnowledgeBaseSettings
from tests.retrieval.library import Library


@pytest.mark.parametrize("name", ["a", "a-b.c_d", "0", "x" * 64])
def test_names_that_can_be_used(engine: Engine, name: str) -> None:
    assert engine.create(name)[0].name == name
    assert engine.knowledge_bases.get(name).name == name


@pytest.mark.parametrize(
    "name", ["", "A", "文", "a b", "../a", "-a", "a.", "x" * 65, "a\n", "a/b", "a\0", "\udcff"]
)
def test_names_that_cannot(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidRequest, match="can't name"):
        engine.create(name)
    with pytest.raises(KnowledgeBaseNotFound):
        engine.open(name)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (KnowledgeBaseSettings(dense_weight=1.1), "dense_weight"),
        (KnowledgeBaseSettings(dense_weight=float("nan")), "dense_weight"),
        (KnowledgeBaseSettings(Chunking(tokens=31)), "chunking.tokens"),
        (KnowledgeBaseSettings(Chunking(tokens=40_000)), "chunking.tokens"),
        (KnowledgeBaseSettings(Chunking(tokens=64, overlap=33)), "chunking.overlap"),
        (KnowledgeBaseSettings(Chunking(overlap=-1)), "chunking.overlap"),
    ],
)
def test_settings_that_do_not_fit(
    engine: Engine, settings: KnowledgeBaseSettings, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        engine.create("docs", settings)
    with pytest.raises(KnowledgeBaseNotFound):
        engine.open("docs")


def test_many_threads_create_one(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: engine.create("docs"), range(16)))
    assert sum(new for _, new in made) == 1
    assert len({kb for kb, _ in made}) == 1


def test_settings_change_while_nothing_depends_on_them(engine: Engine) -> None:
    engine.create("docs")
    changed = KnowledgeBaseSettings(
        Chunking(128, 16), Fusion.CONVEX, 0.3, "chat", "Be kind.", 0.5, "Zebras, 斑马."
    )
    kb, new = engine.create("docs", changed)
    assert (kb.settings, new) == (changed, False)
    assert kb.generation.chunker == changed.chunking.fingerprint
    assert engine.open("docs") == kb


def test_documents_fix_the_chunking_but_not_the_fusion(library: Library) -> None:
    library.add("a", "# Zebra\n\nStriped.\n")
    heavier = replace(library.kb.settings, dense_weight=0.9)
    assert library.engine.create("library", heavier)[0].settings == heavier
    with pytest.raises(InvalidRequest, match="new knowledge base"):
        library.engine.create("library", KnowledgeBaseSettings(Chunking(64, 8)))
    assert library.engine.open("library").settings == heavier


def test_all_are_listed_by_name_with_their_own_counts(library: Library) -> None:
    library.add("a", "# Zebra\n\nStriped.\n\n# 斑马\n\n有条纹。\n")
    library.engine.create("another")
    kbs = library.engine.knowledge_bases
    assert [(kb.name, kbs.counts(kb)) for kb in kbs.all()] == [
        ("another", (0, 0)),
        ("library", (1, 2)),
    ]
    assert kbs.by_id(library.kb.id) == library.kb
    assert kbs.by_id("nobody") is None


def test_the_epoch_grows_with_every_change_of_what_is_live(library: Library) -> None:
    epochs = [library.engine.knowledge_bases.epoch(library.kb)]
    document = library.add("a", "One.").document_id
    epochs.append(library.engine.knowledge_bases.epoch(library.kb))
    library.add("a", "Two.")
    epochs.append(library.engine.knowledge_bases.epoch(library.kb))
    library.indexer.remove(library.kb, document)
    epochs.append(library.engine.knowledge_bases.epoch(library.kb))
    assert epochs == sorted(set(epochs))
    library.indexer.remove_knowledge_base(library.kb)
    with pytest.raises(KnowledgeBaseNotFound):
        library.engine.knowledge_bases.epoch(library.kb)
