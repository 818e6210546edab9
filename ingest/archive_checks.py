"""What an archive must be before anything of it is restored: whole, unchanged and consistent.

Who changes an archive can make its digests fit too, so nothing in it is taken on trust: a row
has the types it should have, a span lies in its text, and a vector is filed under the text it
belongs to. What is wrong raises ValueError, which says where.
"""

import hashlib
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from ingest.parsers.archive import PACKINGS
from retrieval.calibration import Found
from retrieval.embedding.cache import text_hash
from retrieval.embedding.identity import ModelIdentity
from retrieval.types import KnowledgeBaseSettings, Vectors

FORMAT: Final = 1
MANIFEST, DOCUMENTS, CHUNKS = "manifest.json", "documents.jsonl", "chunks.jsonl"
VECTORS, HASHES = "vectors.npy", "hashes.txt"

# What members may unpack to, in bytes. The manifest names each of the others on a line; they are
# texts, most of which pack 10 times smaller, where deflate reaches 1,032 on bombs.
_FREE: Final = 2**20
_ENTRY: Final = 256
_LARGE: Final = 256 * 2**20
_RATIO: Final = 200

_Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]  # an integer of every database
_Word: TypeAlias = Annotated[str, Field(min_length=1)]
_Digest: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# These two are sent as HTTP headers.
_Version: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]+$")]
_MediaType: TypeAlias = Annotated[
    str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+$")  # RFC 9110
]
_Scalar: TypeAlias = str | bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | FiniteFloat


class _Strict(BaseModel):
    """Holds for the dataclasses among the fields too: Pydantic hands it on to them."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Manifest(_Strict):
    format: int
    name: str
    settings: KnowledgeBaseSettings
    model: ModelIdentity
    chunker: str
    documents: int
    chunks: int
    calibration: Found | None = None
    files: dict[str, str]


class DocumentRow(_Strict):
    """A document; `pages` are (number, start, end, label), `headings` (start, end, level)."""

    uri: _Word
    version: _Version
    title: str
    name: str
    media_type: _MediaType
    blob: _Digest
    text: str
    pages: tuple[tuple[_Count, _Count, _Count, str], ...]
    headings: tuple[tuple[_Count, _Count, _Count], ...]
    metadata: dict[_Word, _Scalar | tuple[_Scalar, ...]]
    properties: dict[str, str]
    warnings: tuple[str, ...]


class ChunkRow(_Strict):
    """A chunk of the document with this uri; in the order of the archive."""

    uri: str
    start: _Count
    end: _Count
    heading: tuple[str, ...]
    context: str
    tokens: _Count
    text_hash: str


class _AnyFormat(BaseModel):
    format: int


_Row = TypeVar("_Row", bound=BaseModel)


class Archive:
    """Members of an archive, each checked against the manifest when it is read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        manifest = self._unpacked(MANIFEST, _FREE + _ENTRY * len(archive.infolist()))
        found = _parsed(_AnyFormat, manifest, MANIFEST).format
        if found != FORMAT:
            raise ValueError(f"it has format {found}, and this version reads {FORMAT}")
        self.manifest = _parsed(Manifest, manifest, MANIFEST)

    def read(self, name: str) -> bytes:
        packed = self._archive.getinfo(name).compress_size
        data = self._unpacked(name, _LARGE + _RATIO * packed)
        if hashlib.sha256(data).hexdigest() != self.manifest.files.get(name):
            raise ValueError(f"{name} isn't what was exported")
        return data

    def _unpacked(self, name: str, most: int) -> bytes:
        """The content of a member, of which no more is unpacked than it says."""
        info = self._archive.getinfo(name)
        if info.compress_type not in PACKINGS:
            raise ValueError(f"{name} isn't packed by deflate")
        if info.file_size > most:
            raise ValueError(f"{name} unpacks to {info.file_size:,} bytes; {most:,} may be")
        return self._archive.read(info)

    def original(self, row: DocumentRow) -> bytes:
        """The bytes that a document was made of."""
        name = f"blobs/{row.blob}"
        data = self.read(name)
        if self.manifest.files[name] != row.blob:
            raise ValueError(f"the bytes of {row.uri!r} aren't its own")
        return data

    def rows(self, name: str, kind: type[_Row]) -> list[_Row]:
        lines = enumerate(self.read(name).splitlines(), start=1)
        return [_parsed(kind, line, f"{name}, line {at}") for at, line in lines]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an archive that was found whole."""

    documents: Sequence[DocumentRow]
    _chunks: Mapping[str, Sequence[ChunkRow]]
    _vectors: Vectors
    _places: Mapping[str, int]

    def chunks(self, row: DocumentRow) -> Sequence[ChunkRow]:
        """The chunks of a document, in their order."""
        return self._chunks.get(row.uri, ())

    def vectors(self, row: DocumentRow) -> Vectors:
        """A vector for each of them."""
        return self._vectors[[self._places[piece.text_hash] for piece in self.chunks(row)]]


def check(archive: Archive) -> Contents:
    """What is in an archive, all of it checked. Raises ValueError."""
    manifest = archive.manifest
    rows, pieces = archive.rows(DOCUMENTS, DocumentRow), archive.rows(CHUNKS, ChunkRow)
    for name, said, found in (
        (DOCUMENTS, manifest.documents, len(rows)),
        (CHUNKS, manifest.chunks, len(pieces)),
    ):
        if said != found:
            raise ValueError(f"{name} has {found} rows, and {MANIFEST} says {said}")
    _check_unique("the document", (row.uri for row in rows))
    by_uri: defaultdict[str, list[ChunkRow]] = defaultdict(list)
    for piece in pieces:
        by_uri[piece.uri].append(piece)
    if strays := by_uri.keys() - {row.uri for row in rows}:
        raise ValueError(f"it has chunks of {min(strays)!r}, but not the document")
    for row in rows:
        _check_document(row, by_uri.get(row.uri, ()))
        archive.original(row)
    vectors = _matrix(archive.read(VECTORS))
    hashes = archive.read(HASHES).decode().split()
    _check_unique("the vector", hashes)
    if set(hashes) != {piece.text_hash for piece in pieces}:
        raise ValueError("its vectors aren't those of its chunks")
    _check_vectors(vectors, len(hashes), manifest.model)
    return Contents(rows, by_uri, vectors, {key: at for at, key in enumerate(hashes)})


def _check_document(row: DocumentRow, pieces: Sequence[ChunkRow]) -> None:
    spans = [
        *((piece.start, piece.end) for piece in pieces),
        *((start, end) for _, start, end, _ in row.pages),
        *((start, end) for start, end, _ in row.headings),
    ]
    if not all(start <= end <= len(row.text) for start, end in spans):
        raise ValueError(f"{row.uri!r} has spans outside its text")
    _check_unique(f"of {row.uri!r} the page", (number for number, _, _, _ in row.pages))
    _check_unique(f"of {row.uri!r} the chunk", ((piece.start, piece.end) for piece in pieces))
    for piece in pieces:
        if text_hash(piece.context + row.text[piece.start : piece.end]) != piece.text_hash:
            raise ValueError(
                f"the chunk of {row.uri!r} from {piece.start} to {piece.end} isn't the text "
                f"that was embedded"
            )


def _matrix(data: bytes) -> Vectors:
    """The array in a file, for which no memory is taken before it is known to be there."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{VECTORS} is of another version of its format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"{VECTORS} doesn't hold the {shape} numbers that it says")
    file.seek(0)
    vectors: Vectors = np.lib.format.read_array(file)
    return vectors


def _check_vectors(vectors: Vectors, count: int, model: ModelIdentity) -> None:
    shape = (count, model.dimension) if count else (0, *vectors.shape[1:])
    if (
        vectors.dtype != np.float32
        or vectors.shape != shape
        or not np.allclose(np.linalg.norm(vectors, axis=-1), 1, atol=0.01)
    ):
        raise ValueError("its vectors aren't those of its model")


def _check_unique(what: str, keys: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{what} {key!r} is in it twice")
        seen.add(key)


def _parsed(kind: type[_Row], data: bytes, where: str) -> _Row:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, (where, *first["loc"])))
        raise ValueError(f"{place}: {first['msg']}") from error
