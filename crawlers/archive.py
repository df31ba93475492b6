"""The bytes of every page, kept under their SHA-256 before any row refers to them.

Paths are text here: `pathlib` and `tempfile` would make a page's keeping a sixth dearer.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import secrets
import zlib
from pathlib import Path

from errors import IprwatchError

_FOR_ITS_OWNER = 0o600


class ArchiveError(IprwatchError):
    """Bytes can't be kept or are not what their name says.

    Raised by `keep` (disk full, no permission) and by `open_page` (missing or damaged file).
    """


class Archive:
    """A folder of `ab/<sha256>.gz`, 256 folders in all. Bytes that are there already are not written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stands = False

    def keep(self, sha256: str, body: bytes) -> None:
        """Write the bytes and sync them, so that a row written after this can't outlive them.

        Raises ArchiveError; then nothing half-written stands under the name.
        """
        path = self._path(sha256)
        if os.path.exists(path) and self._is_whole(sha256):
            return
        try:
            folder = os.path.dirname(path)
            if not self._stands or not os.path.isdir(folder):
                self._make_folders()
            temporary = f"{folder}/{secrets.token_hex(8)}.part"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_ITS_OWNER)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    # mtime=0: the same page is the same file on every machine.
                    file.write(gzip.compress(body, compresslevel=1, mtime=0))
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temporary, path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            _sync_folder(folder)
        except OSError as error:
            raise ArchiveError(f"{path}: the page can't be kept ({error.strerror}).") from error

    def open_page(self, sha256: str) -> bytes:
        """The bytes with this hash. Raises ArchiveError when they are missing or damaged."""
        path = self._path(sha256)
        try:
            body = gzip.decompress(Path(path).read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise ArchiveError(f"{path}: the archived page can't be read ({error}).") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ArchiveError(f"{path}: the archived page is damaged, its bytes don't have this hash.")
        return body

    def _make_folders(self) -> None:
        """Make those that are missing, and sync them together: each by itself would have to be synced by itself. Those
        that are there may be another process's, which has not synced them yet."""
        _make_folder(self._folder)
        for number in range(256):
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"{self._folder}/{number:02x}")
        _sync_folder(str(self._folder))
        self._stands = True

    def _is_whole(self, sha256: str) -> bool:
        try:
            self.open_page(sha256)
        except ArchiveError:
            return False
        return True

    def _path(self, sha256: str) -> str:
        return f"{self._folder}/{sha256[:2]}/{sha256}.gz"


def _make_folder(folder: Path) -> None:
    """Make what is missing of the path, each level synced into the one above."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(str(folder.parent))


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
