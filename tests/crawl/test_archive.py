"""The archive: bytes come back as they were served, or not at all, and never half."""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.archive import Archive, ArchiveError

BODY = "<html>商标公告</html>".encode("gb18030")


def sha256_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def kept(folder: Path, body: bytes = BODY) -> Path:
    """The one file of an archive that keeps this body."""
    Archive(folder).keep(sha256_of(body), body)
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


@given(body=st.binary(max_size=2000))
def test_bytes_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    archive = Archive(tmp_path_factory.mktemp("archive"))
    archive.keep(sha256_of(body), body)
    assert archive.open_page(sha256_of(body)) == body


def test_bytes_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    path = kept(tmp_path)
    before = path.stat()
    assert kept(tmp_path) == path
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_same_page_is_the_same_file_in_every_archive(tmp_path: Path) -> None:
    one, other = kept(tmp_path / "one"), kept(tmp_path / "other")
    assert one.relative_to(tmp_path / "one") == other.relative_to(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()


def test_a_page_that_was_never_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=sha256_of(BODY)):
        Archive(tmp_path).open_page(sha256_of(BODY))


def test_a_file_with_other_bytes_than_its_name_says_is_refused(tmp_path: Path) -> None:
    other = kept(tmp_path / "other", b"something else").read_bytes()
    kept(tmp_path / "one").write_bytes(other)
    with pytest.raises(ArchiveError, match="damaged"):
        Archive(tmp_path / "one").open_page(sha256_of(BODY))


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = kept(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ArchiveError):
        Archive(tmp_path).open_page(sha256_of(BODY))


@pytest.mark.parametrize("place", [0, 12, -6])
def test_a_file_with_a_changed_byte_is_refused(tmp_path: Path, place: int) -> None:
    path = kept(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        Archive(tmp_path).open_page(sha256_of(BODY))


def test_a_disk_that_is_full_leaves_nothing_under_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(ArchiveError, match="No space left"):
            Archive(tmp_path).keep(sha256_of(BODY), BODY)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert kept(tmp_path).is_file()


def test_a_folder_that_cannot_be_made_is_an_archive_error(tmp_path: Path) -> None:
    (tmp_path / sha256_of(BODY)[:2]).write_text("in the way", encoding="utf-8")
    with pytest.raises(ArchiveError, match="can't be kept"):
        Archive(tmp_path).keep(sha256_of(BODY), BODY)


def test_many_writers_of_one_page_leave_one_whole_file(tmp_path: Path) -> None:
    body = BODY * 20_000
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Archive(tmp_path).keep(sha256_of(body), body), range(16)))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert Archive(tmp_path).open_page(sha256_of(body)) == body
