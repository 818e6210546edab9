"""Original bytes in an S3-compatible store, which moto stands in for."""

import errno
import re
from collections.abc import Callable, Iterator
from traceback import format_exception
from typing import TypeAlias
from uuid import uuid4

import pytest
import s3fs
from structlog.testing import capture_logs

from retrieval.errors import DataLost, InvalidRequest, StoreUnavailable
from retrieval.stores.s3_blobs import S3Blobs
from tests.contracts.blobs import BlobsContract, Spoil

At: TypeAlias = Callable[[str], S3Blobs]


@pytest.fixture
def url(bucket: str) -> str:
    return f"{bucket}/a/{uuid4().hex}"


@pytest.fixture
def at() -> Iterator[At]:
    """Opens a place by its URL."""
    opened: list[S3Blobs] = []

    def at(url: str) -> S3Blobs:
        opened.append(S3Blobs(url))
        return opened[-1]

    yield at
    for blobs in opened:
        blobs.close()


@pytest.fixture
def blobs(url: str, at: At) -> S3Blobs:
    return at(url)


@pytest.fixture
def files(blobs: S3Blobs) -> s3fs.S3FileSystem:
    """What goes on behind the store's back."""
    return blobs._files


class TestS3Blobs(BlobsContract):
    @pytest.fixture
    def spoil(self, url: str, files: s3fs.S3FileSystem) -> Spoil:
        return lambda digest, data: files.pipe_file(f"{url}/{digest[:2]}/{digest}", data)


def test_a_bucket_needs_no_prefix_and_may_hold_other_things(
    at: At, bucket: str, files: s3fs.S3FileSystem
) -> None:
    files.call_s3("create_bucket", Bucket="another")
    blobs = at("s3://another/")
    assert list(blobs.digests()) == []
    digest = blobs.put(b"some bytes")
    for name in ("notes.txt", f"{digest[:2]}/notes.txt", f"zz/{'0' * 64}", f"aa/bb/{'0' * 64}"):
        files.pipe_file(f"another/{name}", b"of somebody else")
    assert list(blobs.digests()) == [digest]


def test_bytes_that_are_there_are_not_sent_again(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = blobs.put(b"some bytes")
    monkeypatch.setattr(blobs._files, "pipe_file", None)
    assert blobs.put(b"some bytes") == digest


def test_large_ones_are_written_and_read_in_one_request(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = blobs._files._call_s3

    async def call(method: str, *args: object, **more: object) -> object:
        asked.append(method)
        return await real(method, *args, **more)

    monkeypatch.setattr(blobs._files, "_call_s3", call)
    data = bytes(101 * 1024 * 1024)
    assert blobs.get(blobs.put(data)) == data
    assert asked == ["put_object", "get_object"]


def test_who_claims_them_first_has_them(
    at: At, blobs: S3Blobs, url: str, files: s3fs.S3FileSystem
) -> None:
    assert blobs.owner() is None
    assert blobs.claim("one") == "one"
    assert (at(url).claim("two"), blobs.owner()) == ("one", "one")
    assert list(blobs.digests()) == []
    files.pipe_file(f"{url}/footnote.json", b"[]")
    assert blobs.claim("one") == "nobody"


def test_of_two_that_claim_them_at_once_one_has_them(
    at: At, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = at(url), at(url)
    owner, looked = slow.owner, list[str]()

    def nobody_yet() -> str | None:
        found = owner()
        if not looked:
            looked.append("")
            assert fast.claim("fast") == "fast"
        return found

    monkeypatch.setattr(slow, "owner", nobody_yet)
    assert slow.claim("slow") == "fast"
    assert at(url).owner() == "fast"


def test_a_store_that_refuses_conditions_is_claimed_all_the_same(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = blobs._files.pipe_file

    def without_conditions(path: str, data: bytes, mode: str = "overwrite") -> object:
        if mode == "create":
            raise OSError(errno.ENOSYS, "A header you provided implies functionality ...")
        return write(path, data)

    monkeypatch.setattr(blobs._files, "pipe_file", without_conditions)
    assert (blobs.claim("one"), blobs.owner()) == ("one", "one")


def test_a_bucket_that_is_not_there_is_unavailable(at: At, bucket: str) -> None:
    blobs = at("s3://no-such-bucket/prefix")
    for use in (
        lambda: blobs.put(b"x"),
        lambda: blobs.get("0" * 64),
        lambda: list(blobs.digests()),
    ):
        with capture_logs() as logged, pytest.raises(StoreUnavailable) as e:
            use()
        assert not isinstance(e.value, DataLost)
        assert "bucket does not exist" in logged[0]["error"]
    with pytest.raises(StoreUnavailable, match=r"no-such-bucket/.*does not exist.*BLOBS_URL"):
        blobs.owner()


def test_a_store_that_is_away_is_unavailable(
    at: At, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    blobs = at(bucket)
    for use in (
        lambda: blobs.put(b"x"),
        lambda: blobs.get("0" * 64),
        lambda: blobs.has("0" * 64),
        lambda: blobs.delete("0" * 64),
        lambda: list(blobs.digests()),
    ):
        with (
            capture_logs() as logged,
            pytest.raises(StoreUnavailable, match=r"original bytes failed\. Try again.*log") as e,
        ):
            use()
        assert not isinstance(e.value, DataLost)
        assert not re.search(r"127\.0|s3:|footnote/|[0-9a-f]{64}", str(e.value))
        [told] = logged
        assert bucket in told["store"]
        assert "Could not connect" in told["error"] and "127.0.0.1:9" in told["error"]
        assert "a secret of tests" not in "".join(format_exception(e.value))
    with pytest.raises(StoreUnavailable, match=r"s3://.*Could not connect.*AWS_ENDPOINT_URL"):
        blobs.owner()


def test_which_bytes_are_lost_stands_in_the_log(
    blobs: S3Blobs, url: str, files: s3fs.S3FileSystem
) -> None:
    digest = blobs.put(b"some bytes")
    for spoil in (lambda at: files.pipe_file(at, b"other bytes"), files.rm_file):
        spoil(f"{url}/{digest[:2]}/{digest}")
        with (
            capture_logs() as logged,
            pytest.raises(DataLost, match="Send the document again") as e,
        ):
            blobs.get(digest)
        assert digest not in str(e.value) and "s3:" not in str(e.value)
        assert [(told["store"], told["digest"]) for told in logged] == [(url, digest)]


@pytest.mark.parametrize("url", ["s3:", "s3://", "gs://bucket", "/folder", "s3://bucket/a#b"])
def test_an_address_must_be_one(url: str) -> None:
    with pytest.raises(InvalidRequest, match="expected s3://bucket/prefix"):
        S3Blobs(url)


@pytest.mark.parametrize("url", ["s3://somebody:hunter2@bucket", "s3://bucket/a?key=hunter2"])
def test_credentials_are_no_part_of_an_address(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"BLOBS_URL holds .*AWS_ACCESS_KEY") as refused:
        S3Blobs(url)
    assert "hunter2" not in str(refused.value)
