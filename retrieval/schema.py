"""The tables of the catalogue. Migrations bring a database here; nothing else creates tables."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    exists,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from retrieval.sql import beginning

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_LARGE = Integer().with_variant(BigInteger(), "postgresql")  # those of SQLite have 64 bits


def _owner(target: str) -> ForeignKey:
    return ForeignKey(target, ondelete="CASCADE")


knowledge_bases = Table(
    "knowledge_bases",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("settings", JSON, nullable=False),
    Column("generation_id", String),  # the live one
    Column("epoch", _LARGE, nullable=False),  # grows with every change of what is live
    Column("created_at", Float, nullable=False),
    Column("turn", _LARGE, nullable=False, server_default=text("0")),  # its last; see Leases
)

# One embedding model and one chunker of a knowledge base, with the collection that holds it; one
# of them is live, the others are being built, or kept to go back to.
generations = Table(
    "generations",
    metadata,
    Column("id", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), nullable=False, index=True),
    Column("model", JSON, nullable=False),
    Column("model_fingerprint", String, nullable=False),
    Column("chunker", String, nullable=False),
    Column("state", String, nullable=False, server_default=text("'ready'")),
    Column("created_at", Float, nullable=False, server_default=text("0")),
    Column("wish", JSON),  # of whoever asked for it: see Wish
)

# What was measured of a generation, to fuse its legs by: see Calibration.
calibrations = Table(
    "calibrations",
    metadata,
    Column("generation_id", String, _owner("generations.id"), primary_key=True),
    Column("found", JSON, nullable=False),
    Column("mean", LargeBinary, nullable=False),  # (d,) little-endian float32
    Column("covariance", LargeBinary, nullable=False),  # (d, d)
)

CALIBRATED_AT = calibrations.c.found["made_at"].as_float()

# What must agree between the catalogue and something beside it: a value a name.
marks = Table(
    "marks",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), nullable=False),
    Column("uri", String, nullable=False),
    Column("live_version", String),  # null until the first version is complete
    Column("metadata", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    UniqueConstraint("kb_id", "uri"),
)

# The same metadata, a row a value, for filters; a list is several rows.
document_metadata = Table(
    "document_metadata",
    metadata,
    Column("document_id", String, _owner("documents.id"), nullable=False, index=True),
    Column("key", String, nullable=False),
    Column("text", String),
    Column("number", Float),
    Column("flag", Boolean),
    Index("ix_document_metadata_number", "key", "number"),
)
Index("ix_document_metadata_text", document_metadata.c.key, beginning(document_metadata.c.text))

versions = Table(
    "versions",
    metadata,
    Column("document_id", String, _owner("documents.id"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("blob", String, nullable=False, index=True),  # SHA-256 of the original bytes
    Column("size", _LARGE, nullable=False),
    Column("name", String, nullable=False),
    Column("title", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("characters", Integer, nullable=False, server_default=text("0")),
    Column("headings", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
)

# The canonical text of a version; see `retrieval.stretches`.
stretches = Table(
    "stretches",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    ForeignKeyConstraint(
        ["document_id", "version"],
        ["versions.document_id", "versions.version"],
        ondelete="CASCADE",
    ),
)

pages = Table(
    "pages",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("label", String, nullable=False),
    ForeignKeyConstraint(
        ["document_id", "version"],
        ["versions.document_id", "versions.version"],
        ondelete="CASCADE",
    ),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", String, primary_key=True),
    Column("generation_id", String, _owner("generations.id"), nullable=False, index=True),
    Column("document_id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("heading", JSON, nullable=False),
    Column("context", Text, nullable=False, server_default=text("''")),
    Column("tokens", Integer, nullable=False),
    Column("text_hash", String, nullable=False, index=True),  # of what was embedded
    ForeignKeyConstraint(
        ["document_id", "version"],
        ["versions.document_id", "versions.version"],
        ondelete="CASCADE",
    ),
    Index("ix_chunks_document_id", "document_id", "version"),
)

# The durable copy of every vector: (model, text) -> (d,) little-endian float32.
embeddings = Table(
    "embeddings",
    metadata,
    Column("model_fingerprint", String, primary_key=True),
    Column("text_hash", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

# The states of a job that isn't over.
UNFINISHED = ("queued", "parsing", "chunking", "embedding", "writing")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), nullable=False, index=True),
    Column("blob", String, nullable=False, index=True),
    Column("source", JSON, nullable=False),
    Column("document_id", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("outcome", String),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("error", JSON),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", Float),  # while it waits to be tried again
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False, index=True),
    Column("lease", String),  # of the process that works on it, where several do; see `leases`
    Column("lease_until", Float, index=True),  # by the clock of the database
    # The job right before it of its document, or its knowledge base where it is the first; null
    # once it is over.
    Column("behind", String),
    Column("received", Boolean, nullable=False, server_default=true()),  # all of its bytes
    # How often a lease on it ended before the work did: that process was gone, or away.
    Column("lapses", Integer, nullable=False, server_default=text("0")),
)


def _jobs_index(name: str, where: ColumnElement[bool], *columns: Column[Any]) -> None:
    Index(f"ix_jobs_{name}", *columns, sqlite_where=where, postgresql_where=where)


_UNFINISHED = jobs.c.state.in_(UNFINISHED)
_jobs_index("unfinished", _UNFINISHED, jobs.c.kb_id, jobs.c.created_at)
_jobs_index("of_document", _UNFINISHED, jobs.c.kb_id, jobs.c.document_id)
_jobs_index("behind", jobs.c.behind.is_not(None), jobs.c.behind, jobs.c.created_at)

# What people said of a document, or of a span of one of its versions, as an answer to a question.
feedback = Table(
    "feedback",
    metadata,
    Column("id", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), nullable=False, index=True),
    Column("document_id", String, _owner("documents.id"), nullable=False),
    Column("version", String, nullable=False),
    Column("question", Text, nullable=False),
    Column("start", Integer),  # null, as is the end, where it is of the whole document
    Column("end", Integer),
    Column("helpful", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
)

# Answers as they were given, and the documents that they hold text of: see Record.
answers = Table(
    "answers",
    metadata,
    Column("id", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), nullable=False, index=True),
    Column("continues", Boolean, nullable=False),  # a conversation, which may quote any document
    Column("record", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
)
answer_documents = Table(
    "answer_documents",
    metadata,
    Column("answer_id", String, _owner("answers.id"), primary_key=True),
    Column("document_id", String, _owner("documents.id"), primary_key=True, index=True),
)

# Keys for the interfaces. A row stays when its key is revoked: a server that had a key needs one.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),  # SHA-256 of the secret, which has 256 random bits
    Column("scopes", JSON, nullable=False),
    Column("knowledge_bases", JSON(none_as_null=True)),  # by name; null: all
    Column("rate", _LARGE),  # requests a minute; null: any number
    Column("max_documents", _LARGE),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("last_used_at", Float),
)

# Browsers that were given a key: a cookie holds the secret, whose SHA-256 this is.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("key_id", String, _owner("api_keys.id"), nullable=False, index=True),
    Column("expires_at", Float, nullable=False),
)

# Long work that one process does at a time, and how it stands: see Works.
works = Table(
    "works",
    metadata,
    Column("name", String, primary_key=True),
    Column("kb_id", String, _owner("knowledge_bases.id"), index=True),
    Column("standing", JSON(none_as_null=True)),
    Column("is_over", Boolean, nullable=False),
    Column("lease", String),  # of the process that is at it
    Column("lease_until", Float),  # by the clock of the database
)

# The last evaluation of each knowledge base, and its report as HTML: see Kept.
evaluations = Table(
    "evaluations",
    metadata,
    Column("kb_id", String, _owner("knowledge_bases.id"), primary_key=True),
    Column("evaluation", JSON, nullable=False),
    Column("report", Text, nullable=False),
    Column("shown", JSON, nullable=False),
)

# How often something was done under a name, where several processes count it: see SharedRates. Not
# logged: Postgres forgets it when it crashes, and writes it without waiting for the disk.
rates = Table(
    "rates",
    metadata,
    Column("name", String, primary_key=True),
    Column("second", _LARGE, nullable=False),  # the last one in which it was done
    Column("counts", JSON().with_variant(ARRAY(Integer), "postgresql"), nullable=False),
)

# Who changed what, and who was refused. No key is referred to: it needn't have existed.
audit = Table(
    "audit",
    metadata,
    Column("id", _LARGE, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("key_id", String, nullable=False),
    Column("method", String, nullable=False),
    Column("route", String, nullable=False),
    Column("knowledge_base", String, nullable=False),
    Column("subject", String, nullable=False),  # the id of a document, job, answer or feedback
    Column("status", Integer, nullable=False),
    Column("request_id", String, nullable=False),
)

# The words of a catalogue in Postgres; beside one in SQLite they lie in tantivy's files. See
# PostgresLexicalStore.
words = MetaData(naming_convention=metadata.naming_convention)
word_stores = Table(
    "word_stores",
    words,
    Column("name", String, primary_key=True),
    Column("analyser", Integer, nullable=False),  # the version that the terms are by
)
word_segments = Table(
    "word_segments",
    words,
    Column("id", String, primary_key=True),
    Column("store", String, _owner("word_stores.name"), nullable=False, index=True),
    Column("pages", Integer, nullable=False),
    Column("entries", LargeBinary, nullable=False),  # see write_entries
    Column("deleted", LargeBinary, nullable=False),  # numbers of chunks, little-endian uint16
    Column("revision", String, nullable=False),  # another one whenever more is deleted
)
word_pages = Table(
    "word_pages",
    words,
    Column("segment", String, _owner("word_segments.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("postings", LargeBinary, nullable=False),  # see write_pages
)

# Conditions that many queries share. Of a version, and of a chunk in any generation: that readers
# see it; of a version: that it has chunks, which one that isn't live has only between being staged
# and becoming live; of a vector: that it is one of a chunk's, for the model with this fingerprint.
LIVE_VERSION = (versions.c.document_id == documents.c.id) & (
    versions.c.version == documents.c.live_version
)
LIVE_CHUNK = (chunks.c.document_id == documents.c.id) & (
    chunks.c.version == documents.c.live_version
)
HAS_CHUNKS = exists().where(
    chunks.c.document_id == versions.c.document_id, chunks.c.version == versions.c.version
)


def vector_of_chunk(model_fingerprint: ColumnElement[str] | str) -> ColumnElement[bool]:
    return (embeddings.c.text_hash == chunks.c.text_hash) & (
        embeddings.c.model_fingerprint == model_fingerprint
    )
