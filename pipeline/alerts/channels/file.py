"""Alerts in a file, for other programs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipeline.alerts.channels.channel import Options
from pipeline.alerts.message import Message, Receipt
from pipeline.alerts.wording import Language


@dataclass(frozen=True)
class FileChannel:
    """Appends one JSON line per alert and returns when it is on the disk.

    A line that a crash cut short is left as it is and the next one starts on a line of its own.
    """

    kind: ClassVar[str] = "file"
    pace: ClassVar[None] = None
    name: str
    path: Path

    def send(self, message: Message, recipient: str) -> Receipt:
        line = json.dumps(message.as_json(), ensure_ascii=True).encode() + b"\n"
        try:
            with self.path.open("a+b", buffering=0) as file:
                if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                    line = b"\n" + line
                if file.write(line) != len(line):
                    return Receipt(ok=False, retry=True, detail=f"{self.path}: only a part could be written")
                os.fsync(file.fileno())
        except OSError as error:
            return Receipt(ok=False, retry=True, detail=f"{self.path}: {error.strerror}")
        return Receipt(ok=True, retry=False, detail=f"appended to {self.path}")


class FileOptions(Options):
    """The keys of a file."""

    path: Path

    def build(self, name: str, languages: Mapping[str, Language]) -> FileChannel:
        """The channel of this name."""
        return FileChannel(name, self.path)
