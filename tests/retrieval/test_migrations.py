"""A catalogue of every schema there ever was, with data in it, becomes one that answers."""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine as Connections
from sqlalchemy import MetaData, select

from ingest.job_store import JobStore
from ingest.leases import Leases
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source, Stage
from retrieval.answering import Question
from retrieval.database import Database
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.inspection import Inspection
from retrieval.schema import metadata
from retrieval.stretches import LENGTH, whole_text
from retrieval.types import Answer
from tests.catalogues import MIGRATIONS, SERVER, at_revision, catalogue_in, engine_settings
from tests.ingest.workshop import queued
from tests.shared_stores import move_originals

_CONFIG = Config()
_CONFIG.set_main_option("script_location", str(MIGRATIONS))
_CONFIG.set_main_option("path_separator", "os")
ALL = sorted(one.revision for one in ScriptDirectory.from_config(_CONFIG).walk_revisions())
REVISIONS = [one for one in ALL if one >= "0009"] if SERVER else ALL  # Postgres came with that one

LONG = "# Milk\n\n" + "\n\n".join(f"Milk 🥛 of cow {n} is white." for n in range(2_000))
TEXT = "# Tea\n\nTea is at four in the afternoon.\n\n# Coffee\n\nCoffee is at nine in the morning."
TEXTS = {"tea.md": TEXT, "other.md": "# Cake\n\nCake is at five.", "long.md": LONG}
QUESTION = Question("When is the tea in the afternoon?")


def _filled(data: Path) -> Answer:
    settings = engine_settings(data)
    with open_engine(settings, HashingBackend()) as engine:
        kb, _ = engine.create("kb")
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
        for name, text in TEXTS.items():
            source = Source(uri=name, name=name, data=text.encode(), metadata={"year": 2026})
            pipeline.ingest(kb, source, lambda *_: None)
        return _asked(engine)


def _asked(engine: Engine) -> Answer:
    return engine.answering.ask(engine.open("kb"), QUESTION)


def _copy(source: Database, to: Connections) -> None:
    """The rows of all tables that both have, as far as they have the same columns."""
    tables = MetaData()
    tables.reflect(to)
    with source.read() as reader, to.begin() as writer:
        for old in tables.sorted_tables:
            if (new := metadata.tables.get(old.name)) is None:
                continue
            shared = [new.c[name] for name in old.columns.keys() if name in new.c]  # noqa: SIM118
            rows = [dict(row._mapping) for row in reader.execute(select(*shared))]
            if old.name == "versions" and "text" in old.c:
                for row in rows:
                    row["text"] = whole_text(reader, row["document_id"], row["version"])
            if rows:
                writer.execute(old.insert(), rows)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_catalogue_of_each_schema_answers(tmp_path: Path, revision: str) -> None:
    before = _filled(tmp_path / "new")
    assert before.citations
    (tmp_path / "old").mkdir()
    old = at_revision(tmp_path / "old", revision)
    new = catalogue_in(tmp_path / "new")
    _copy(new, old)
    new.close()
    old.dispose()
    move_originals(tmp_path / "new", tmp_path / "old")
    settings = engine_settings(tmp_path / "old")
    with open_engine(settings, HashingBackend()) as engine:
        kb = engine.open("kb")
        found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
        assert [finding for finding in found if not finding.ok] == []
        for name, text in TEXTS.items():
            document = engine.documents.get(kb, engine.documents.named(kb, name))
            assert document.text == text
            assert engine.documents.summary(kb, document.id).characters == len(text)
        after = _asked(engine)
        assert after.citations == before.citations
        assert [(hit.chunk, hit.score) for hit in after.hits] == [
            (hit.chunk, hit.score) for hit in before.hits
        ]
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
        source = Source(uri="tea.md", name="tea.md", data=b"Tea is at six.")
        pipeline.ingest(kb, source, lambda *_: None)
        assert "six" in _asked(engine).text


def test_of_jobs_that_waited_the_first_of_each_document_are_taken(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with open_engine(engine_settings(tmp_path / "new"), HashingBackend()) as engine:
        kb, _ = engine.create("kb")
        coming = [queued(kb, key, document) for key, document in ("ad", "bd", "ce", "dd")]
        store = JobStore(engine.database)
        store.add([(job, Source(job.id, job.id, b"")) for job in coming])
        store.save(replace(coming[0], state=Stage.DONE))
        old = at_revision(tmp_path / "old", "0014")
        _copy(engine.database, old)
        old.dispose()
    migrated = catalogue_in(tmp_path / "old")
    leases, waiting = Leases(migrated), JobStore(migrated)
    taken = [leases.take() for _ in range(3)]
    assert [one and one[0] for one in taken] == ["b", "c", None]
    waiting.end(["b"], Stage.CANCELLED)
    assert [one and one[0] for one in (leases.take(), leases.take())] == ["d", None]


def test_a_text_is_longer_than_a_stretch() -> None:
    assert len(LONG) > 2 * LENGTH


def test_the_first_schema_is_among_them() -> None:
    assert ALL[0] == "0001"
    assert len(REVISIONS) >= 8
