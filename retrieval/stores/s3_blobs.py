"""Original bytes in an S3-compatible store, an object a digest, by way of fsspec's s3fs.

Address and credentials are those of the standard AWS_* variables and files. Bytes are written in
one request, which leaves a whole object or none, and is durable when it is answered.
"""

import errno
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import s3fs
import structlog
from aiohttp import ClientError as ConnectionFailed
from botocore.exceptions import BotoCoreError
from fsspec.asyn import sync

from retrieval.bare_urls import check_bare
from retrieval.errors import DataLost, InvalidRequest
from retrieval.stores.blobs import checked, is_digest
from retrieval.stores.failures import unavailable_if

_log = structlog.get_logger()

_SHARD = re.compile(r"[0-9a-f]{2}")
_OWNER = "footnote.json"  # whose the originals are
_INSTALLATION = "installation"

# Who sends bytes that are being deleted waits for that, and who asks for a document has somebody
# waiting, too: a store that hangs is given up within a minute.
_CLIENT = {
    "connect_timeout": 5,  # seconds
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "max_pool_connections": 32,
}
_ONE_REQUEST = 2**31  # bytes; beyond half of that s3fs would write in parts

_FAILURES = (OSError, BotoCoreError, ConnectionFailed)
_OPENING = (
    "Check FOOTNOTE_BLOBS_URL, AWS_ENDPOINT_URL, the credentials, and what they permit: to list "
    "the bucket, and to read, write and delete what is in it."
)
_SERVING = "Try again in a moment; Footnote's log says what is wrong."


class S3Blobs:
    """Keeps bytes as `<prefix>/<first two digits>/<sha256>`; equal bytes are kept once.

    Who claims it is told where it is, and what is wrong; later it is clients who are told.
    """

    def __init__(self, url: str) -> None:
        """Those at `s3://bucket/prefix`, which isn't asked anything yet. Raises InvalidRequest."""
        check_bare(url, "FOOTNOTE_BLOBS_URL", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or parts.fragment:
            raise InvalidRequest(f"FOOTNOTE_BLOBS_URL is {url!r}: expected s3://bucket/prefix.")
        self._url = url.rstrip("/")
        self._root = f"{parts.netloc}{parts.path}".rstrip("/")
        self._files = s3fs.S3FileSystem(
            use_listings_cache=False,
            skip_instance_cache=True,
            max_concurrency=1,  # an object is read in one request, too
            config_kwargs=_CLIENT,
        )
        self._files.retries = 1  # botocore does that

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        with self._failing(f"writing {digest}"):
            if self._tag(digest) != _tag_of(data):  # damaged ones are mended
                self._files.pipe_file(self._path(digest), data, chunksize=_ONE_REQUEST)
        return digest

    def get(self, digest: str) -> bytes:
        with self._failing(f"reading {digest}"):
            try:
                data: bytes = self._files.cat_file(self._path(digest))
            except FileNotFoundError as error:
                if _is_of_bucket(error):
                    raise
                raise self._lost(digest, "gone from") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise self._lost(digest, "damaged in")
        return data

    def has(self, digest: str) -> bool:
        with self._failing(f"looking for {digest}"):
            return self._tag(digest) is not None

    def delete(self, digest: str) -> None:
        with self._failing(f"deleting {digest}"):
            self._files.rm_file(self._path(digest))

    def digests(self) -> Iterator[str]:
        with self._failing("listing"):
            for shard in self._names(self._root):
                if _SHARD.fullmatch(shard):
                    yield from filter(is_digest, self._names(f"{self._root}/{shard}"))

    def owner(self) -> str | None:
        """The installation that the bytes belong to, if one has claimed them."""
        with self._claiming():
            try:
                return str(json.loads(self._files.cat_file(self._mark))[_INSTALLATION])
            except FileNotFoundError as error:
                if _is_of_bucket(error):
                    raise
                return None
            except (ValueError, TypeError, KeyError):
                return "nobody"

    def claim(self, installation: str) -> str:
        """Note whose the bytes are, unless that is noted; whose they are then."""
        if (owner := self.owner()) is not None:
            return owner
        mark = json.dumps({_INSTALLATION: installation}).encode()
        with self._claiming():
            try:
                self._files.pipe_file(self._mark, mark, mode="create")
            except FileExistsError:  # somebody was faster
                pass
            except OSError as error:
                if error.errno != errno.ENOSYS:
                    raise
                self._files.pipe_file(self._mark, mark)  # a store that knows no conditions
        return self.owner() or "nobody"  # which one that ignores them tells

    def close(self) -> None:
        """End its connections, which s3fs would only do when it is collected, if then."""
        if client := getattr(self._files, "_s3creator", None):  # once it was asked for anything
            sync(self._files.loop, client.__aexit__, None, None, None)

    @property
    def _mark(self) -> str:
        return f"{self._root}/{_OWNER}"

    def _path(self, digest: str) -> str:
        return f"{self._root}/{checked(digest)[:2]}/{digest}"

    def _tag(self, digest: str) -> str | None:
        """What tells the bytes that are kept from others, if there are any."""
        bucket, key, _ = self._files.split_path(self._path(digest))
        try:
            return str(self._files.call_s3("head_object", Bucket=bucket, Key=key)["ETag"])
        except FileNotFoundError:
            return None

    def _names(self, folder: str) -> list[str]:
        try:
            found = self._files.ls(folder, detail=False)
        except FileNotFoundError as error:
            if _is_of_bucket(error):
                raise
            return []
        return [path.rstrip("/").rpartition("/")[2] for path in found]

    def _claiming(self) -> AbstractContextManager[None]:
        return unavailable_if(f"The store of original bytes at {self._url}", _OPENING, *_FAILURES)

    def _failing(self, doing: str) -> AbstractContextManager[None]:
        untold = f"{self._url}, {doing}"
        return unavailable_if("The store of original bytes", _SERVING, *_FAILURES, untold=untold)

    def _lost(self, digest: str, how: str) -> DataLost:
        _log.warning("original_bytes_lost", store=self._url, digest=digest)
        return DataLost(f"The original bytes are {how} their store. Send the document again.")


def _tag_of(data: bytes) -> str:
    """The tag of bytes that were written in one request. A store that encrypts them, or tags them
    in another way, is sent them again, which changes nothing.
    """
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _is_of_bucket(error: FileNotFoundError) -> bool:
    """Whether it is the bucket that isn't there."""
    response = getattr(error.__cause__, "response", {})
    return bool(response.get("Error", {}).get("Code") == "NoSuchBucket")
