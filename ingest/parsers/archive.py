"""Zip archives that strangers send: read within limits on size, ratio and number of members."""

import lzma
import zipfile
import zlib
from io import BytesIO
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

_MAX_MEMBERS: Final = 20_000
_MAX_MEMBER: Final = 128 * 2**20
_MAX_TOTAL: Final = 512 * 2**20
_FREE: Final = 2**20  # bytes that any member may unpack to, however well they pack
_MAX_RATIO: Final = 200
"""Office XML packs 10 to 30 times smaller; deflate reaches 1,032 on bombs."""


class Archive:
    """A zip archive. Raises DamagedDocument, EncryptedDocument and TooLarge."""

    def __init__(self, data: bytes, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        try:
            self._archive = zipfile.ZipFile(BytesIO(data))
        except BROKEN as error:
            raise self.damaged(error) from error
        self._check()

    @property
    def members(self) -> list[str]:
        """The paths of the files in it, in their order."""
        return [info.filename for info in self._archive.infolist() if not info.is_dir()]

    def read(self, path: str) -> bytes | None:
        """The content of a member, or None if there is none of that name."""
        try:
            info = self._archive.getinfo(path)
        except KeyError:
            return None
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
        """What a member says of its size is all that is ever unpacked of it, when it is deflated;
        zipfile unpacks other methods whole before it looks at that.
        """
        infos = self._archive.infolist()
        if len(infos) > _MAX_MEMBERS:
            raise TooLarge(f"{self._name} has {len(infos):,} members; {_MAX_MEMBERS:,} may be.")
        total = sum(info.file_size for info in infos)
        if total > _MAX_TOTAL:
            raise TooLarge(
                f"{self._name} unpacks to {total:,} bytes; {_MAX_TOTAL:,} may be. Split it."
            )
        for info in infos:
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DamagedDocument(
                    f"{self._name}: {info.filename} isn't packed by deflate: pack it anew."
                )
            most = min(_MAX_MEMBER, _FREE + _MAX_RATIO * info.compress_size)
            if info.file_size > most:
                raise TooLarge(
                    f"{self._name}: {info.filename} unpacks to {info.file_size:,} bytes from "
                    f"{info.compress_size:,}, more than any document does."
                )
