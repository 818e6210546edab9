"""Zip archives that strangers send: read within limits on size, ratio and number of members."""

import lzma
import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import Final

from ingest.errors import DamagedDocument, EncryptedDocument, TooLarge

BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    lzma.LZMAError,
)
"""What reading a damaged archive raises."""

PACKINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods that zipfile unpacks piece by piece; it unpacks others whole before it looks."""

_ENTRY: Final = b"PK\x01\x02"
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_HEADER_SIZE: Final = 30  # of a member, at least
_LOCATOR_64: Final = b"PK\x06\x07"
_LOCATOR_64_SIZE: Final = 20
_MAX_COMMENT: Final = 2**16
_MAX_MEMBERS: Final = 20_000
_MAX_MEMBER: Final = 128 * 2**20
_MAX_TOTAL: Final = 512 * 2**20
_FREE: Final = 2**20  # bytes that any member may unpack to, however well they pack
_MAX_RATIO: Final = 200
"""Office XML packs 10 to 30 times smaller; deflate reaches 1,032 on bombs."""


def open_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """The archive, if it has few enough members: zipfile reads the directory of all at once.

    Their entries are counted, as the number that the archive gives is one that zipfile ignores.
    Raises TooLarge, and what is in BROKEN.
    """
    members = data.count(_ENTRY, _directory(data))
    if members > _MAX_MEMBERS:
        raise TooLarge(f"{name} has {members:,} members; {_MAX_MEMBERS:,} may be.")
    return zipfile.ZipFile(BytesIO(data))


def _directory(data: bytes) -> int:
    """Where the directory starts, by the record that zipfile takes for the last.

    0, which is never too late, where there is none, and for ZIP64, whose record can be hidden.
    """
    end = len(data) - _END_SIZE
    if not (data[-_END_SIZE:].startswith(_END) and data.endswith(b"\0\0")):
        end = data.rfind(_END, max(end - _MAX_COMMENT, 0))
    if end < 0 or data.startswith(_LOCATOR_64, max(end - _LOCATOR_64_SIZE, 0)):
        return 0
    return max(end - int.from_bytes(data[end + 12 : end + 16], "little"), 0)


class Archive:
    """A zip archive. Raises DamagedDocument, EncryptedDocument and TooLarge."""

    def __init__(self, data: bytes, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        try:
            self._archive = open_zip(data, name)
        except BROKEN as error:
            raise self.damaged(error) from error
        self._check()

    @property
    def members(self) -> list[zipfile.ZipInfo]:
        """The files in it, in their order; several may be of one name."""
        return [info for info in self._archive.infolist() if not info.is_dir()]

    def read(self, path: str) -> bytes | None:
        """The content of the last member of a name, or None if there is none."""
        try:
            info = self._archive.getinfo(path)
        except KeyError:
            return None
        return self.content(info)

    def content(self, info: zipfile.ZipInfo) -> bytes:
        """The content of a member."""
        if info.flag_bits & 1:
            raise EncryptedDocument(f"{self._name} is encrypted: save it without a password.")
        try:
            return self._archive.read(info)
        except BROKEN as error:
            raise self.damaged(error) from error

    def damaged(self, error: Exception) -> DamagedDocument:
        """What to raise for a part that can't be read."""
        return DamagedDocument(
            f"{self._name} is a damaged {self._kind} file ({error}): open it in the program that "
            "made it, repair and save it."
        )

    def _check(self) -> None:
        """What a member says of its size is all that is ever unpacked of it, in these PACKINGS."""
        infos = self._archive.infolist()
        self._check_apart(infos)
        total = sum(info.file_size for info in infos)
        if total > _MAX_TOTAL:
            raise TooLarge(
                f"{self._name} unpacks to {total:,} bytes; {_MAX_TOTAL:,} may be. Split it."
            )
        for info in infos:
            if info.compress_type not in PACKINGS:
                raise DamagedDocument(
                    f"{self._name}: {info.filename} isn't packed by deflate: pack it anew."
                )
            most = min(_MAX_MEMBER, _FREE + _MAX_RATIO * info.compress_size)
            if info.file_size > most:
                raise TooLarge(
                    f"{self._name}: {info.filename} unpacks to {info.file_size:,} bytes from "
                    f"{info.compress_size:,}, more than any document does."
                )

    def _check_apart(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        """Bytes that several members share would be unpacked once for each."""
        for one, following in pairwise(sorted(infos, key=lambda info: info.header_offset)):
            if one.header_offset + _HEADER_SIZE + one.compress_size > following.header_offset:
                raise DamagedDocument(
                    f"{self._name}: {following.filename} shares bytes with {one.filename}: pack "
                    "it anew."
                )
