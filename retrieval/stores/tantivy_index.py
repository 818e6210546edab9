"""The lexical index: tantivy on disk, fed with the terms of our own analyser.

BM25 with tantivy's k1 1.2 and b 0.75, the terms of a query weighted by `term_weights`. Deleted
chunks leave its statistics (not its results) only when tantivy merges their segment, so scores move
a little after a deletion.
"""

import json
import shutil
import struct
import threading
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tantivy import (
    Document,
    Index,
    Occur,
    Query,
    Schema,
    SchemaBuilder,
    TextAnalyzerBuilder,
    Tokenizer,
)

from retrieval.analysis import VERSION, analyse
from retrieval.errors import StoreUnavailable
from retrieval.ports import Posting, Scored
from retrieval.question import term_weights
from retrieval.stores.failures import unavailable_if
from retrieval.stores.naming import checked

# The version is in the name: an index made by another analyser doesn't open, instead of
# quietly finding nothing.
_TERMS = f"terms_{VERSION}"

# A writer is opened for each write: with its smallest heap and one thread, 100 chunks take 8 ms,
# without the GIL, and an idle index costs no memory and no thread.
_HEAP, _THREADS = 15_000_000, 1

_SEGMENT_FILES = frozenset(
    (".term", ".idx", ".pos", ".store", ".fast", ".fieldnorm", ".del", ".temp")
)
_TAIL, _MAGIC = struct.Struct("<II"), 1337

_SPARE = 64  # hits fetched beyond k, so that ties at the cut are decided by id


class TantivyLexicalStores:
    """All the lexical stores below a directory, by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._opened: dict[str, TantivyLexicalStore] = {}
        self._lock = threading.Lock()

    def open(self, name: str) -> "TantivyLexicalStore":
        """The store of that name, made if it isn't there. Raises StoreUnavailable."""
        with self._lock:
            # One object a name: an index has only one writer at a time.
            if name not in self._opened:
                self._opened[name] = TantivyLexicalStore(self._directory / checked(name))
            return self._opened[name]

    def drop(self, name: str) -> None:
        """Delete the store of that name; if there is none, nothing happens."""
        with self._lock:
            if store := self._opened.pop(name, None):
                store.close()
            path = self._directory / checked(name)
            (path / "meta.json").unlink(missing_ok=True)  # what is left after a crash is no index
            shutil.rmtree(path, ignore_errors=True)

    def verify(self, name: str) -> None:
        """Take away what a process left that died, before the store is opened.

        Raises StoreUnavailable where a file isn't what tantivy wrote.
        """
        path = self._directory / checked(name)
        segments, deletions = _named(path)
        for found in sorted(path.glob("*.*")):
            if found.suffix not in _SEGMENT_FILES:
                continue
            segment = found.name.partition(".")[0]
            if segment not in segments or (found.suffix == ".del" and found.name not in deletions):
                found.unlink()
            elif not _is_whole(found.read_bytes()):
                raise StoreUnavailable(f"The lexical index has a damaged file, {found.name}.")

    def names(self) -> list[str]:
        return sorted(meta.parent.name for meta in self._directory.glob("*/meta.json"))

    def close(self) -> None:
        with self._lock:
            for store in self._opened.values():
                store.close()
            self._opened.clear()


class TantivyLexicalStore:
    """One index. Reads go on during a write, which waits for the one before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema = _schema()
        self._lock = threading.Lock()
        self._closed = False
        with self._failing():
            path.mkdir(parents=True, exist_ok=True)
            self._index = Index(self._schema, str(path))
            self._index.register_tokenizer(
                "spaced", TextAnalyzerBuilder(Tokenizer.whitespace()).build()
            )
            self._index.config_reader("manual")  # else a thread an index watches the directory
            self._searcher = self._index.searcher()

    def upsert(self, postings: Sequence[Posting]) -> None:
        last = {posting.id: posting for posting in postings}
        self._write(list(last), [_document(posting) for posting in last.values()])

    def delete(self, ids: Sequence[str]) -> None:
        self._write(ids, [])

    def query(self, text: str, k: int, documents: Collection[str] | None = None) -> list[Scored]:
        terms = term_weights(text)
        with self._failing():
            self._check_open()
            searcher = self._searcher
            k = min(k, searcher.num_docs)
            if k < 1 or not terms:
                return []
            query = self._restricted(self._any_of(terms), documents)
            hits = searcher.search(query, limit=k + _SPARE, count=False).hits
            cut = hits[k - 1][0] if len(hits) > k else 0.0
            found = [
                Scored(searcher.doc(address)["id"][0], score)
                for score, address in hits
                if score >= cut
            ]
        return sorted(found, key=lambda hit: (-hit.score, hit.id))[:k]

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        # `doc_freq` would be quicker than this 0.1 ms a term, but counts deleted chunks.
        with self._failing():
            self._check_open()
            searcher = self._searcher
            return {
                term: searcher.search(self._term(term), limit=1).count  # type: ignore[attr-defined]
                for term in terms
            }

    def count(self) -> int:
        with self._failing():
            self._check_open()
            return self._searcher.num_docs

    def ids(self) -> set[str]:
        with self._failing():
            self._check_open()
            searcher = self._searcher
            everything = searcher.search(Query.all_query(), limit=max(searcher.num_docs, 1))
            return {searcher.doc(address)["id"][0] for _, address in everything.hits}

    def close(self) -> None:
        """Wait for a write under way; nothing can be asked afterwards."""
        with self._lock:
            self._closed = True

    def _write(self, forget: Sequence[str], add: Sequence[Document]) -> None:
        with self._lock, self._failing():
            self._check_open()
            writer = self._index.writer(_HEAP, _THREADS)
            try:
                for id_ in forget:
                    writer.delete_documents_by_term("id", id_)
                for document in add:
                    writer.add_document(document)
                writer.commit()
            finally:
                writer.wait_merging_threads()  # gives the write lock back
            self._index.reload()
            self._searcher = self._index.searcher()

    def _any_of(self, terms: Mapping[str, float]) -> Query:
        weighted = (Query.boost_query(self._term(term), share) for term, share in terms.items())
        return Query.boolean_query([(Occur.Should, query) for query in weighted])

    def _term(self, term: str) -> Query:
        return Query.term_query(self._schema, _TERMS, term, "freq")

    def _restricted(self, query: Query, documents: Collection[str] | None) -> Query:
        if documents is None:
            return query
        allowed = Query.term_set_query(self._schema, "document_id", list(documents))
        return Query.boolean_query(
            [(Occur.Must, query), (Occur.Must, Query.const_score_query(allowed, 0.0))]
        )

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"The lexical index in {str(self._path)!r} is closed.")

    def _failing(self) -> AbstractContextManager[None]:
        return unavailable_if(
            f"The lexical index in {str(self._path)!r}",
            "Check that its files are whole and can be read.",
            ValueError,
            OSError,
        )


def _named(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The segments that `meta.json` names, and the lists of what is deleted in them.

    Tantivy writes a segment, or such a list, then names it. A segment that it died over is cut off,
    which is no damage; and the same list it would fail to write again, for ever.
    """
    try:
        segments = {
            segment["segment_id"].replace("-", ""): segment["deletes"]
            for segment in json.loads((path / "meta.json").read_bytes())["segments"]
        }
        deletions = (f"{id_}.{gone['opstamp']}.del" for id_, gone in segments.items() if gone)
        return frozenset(segments), frozenset(deletions)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreUnavailable(f"The lexical index has a damaged list, {error}.") from error


def _is_whole(data: bytes) -> bool:
    """Whether the checksum holds that tantivy writes behind each file of a segment.

    The bytes, a footer of JSON with their CRC-32, its length, and a magic number; see
    `directory/footer.rs` of tantivy.
    """
    if len(data) < _TAIL.size:
        return False
    length, magic = _TAIL.unpack(data[-_TAIL.size :])
    start = len(data) - _TAIL.size - length
    if magic != _MAGIC or start < 0:
        return False
    try:
        return bool(json.loads(data[start : -_TAIL.size])["crc"] == zlib.crc32(data[:start]))
    except (ValueError, KeyError, TypeError):
        return False


def _schema() -> Schema:
    return (
        SchemaBuilder()
        .add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        .add_text_field("document_id", tokenizer_name="raw", index_option="basic")
        .add_text_field(_TERMS, tokenizer_name="spaced", index_option="freq")
        .build()
    )


def _document(posting: Posting) -> Document:
    document = Document()
    document.add_text("id", posting.id)
    document.add_text("document_id", posting.document_id)
    document.add_text(_TERMS, " ".join(analyse(posting.text)))
    return document
