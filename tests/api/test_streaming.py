"""An export that is sent while it is written ends in order, or not at all."""

from __future__ import annotations

import threading
from typing import BinaryIO

import pytest

from query.api import streaming
from query.api.streaming import stream

MUCH = 4_000_000


def write_much(file: BinaryIO) -> None:
    for _ in range(MUCH // 1000):
        file.write(b"x" * 1000)


def test_what_is_written_is_sent_whole() -> None:
    assert sum(map(len, stream(write_much))) == MUCH


def test_a_client_that_takes_nothing_for_too_long_is_told_that_it_has_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "_LOOK", 0.01)
    monkeypatch.setattr(streaming, "_PATIENCE", 3)
    chunks = stream(write_much)
    next(chunks)
    for thread in threading.enumerate():
        if thread.name == "export":
            thread.join(timeout=30)
    with pytest.raises(ConnectionError, match="took nothing"):
        list(chunks)
