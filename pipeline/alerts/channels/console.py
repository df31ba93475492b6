"""Alerts on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import EPIPE
from typing import ClassVar, TextIO

from rich.console import Console
from rich.text import Text

from pipeline.alerts.channels.channel import Options
from pipeline.alerts.message import Message, Receipt, render_brief
from pipeline.alerts.wording import Language


class _Screen(Console):
    """A console whose reader may be gone: that is a failure to print, and ends no process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(EPIPE, "nobody reads it any more")


@dataclass(frozen=True)
class ConsoleChannel:
    """Prints alerts in brief on standard error, so that a command's own output stays whole."""

    kind: ClassVar[str] = "console"
    pace: ClassVar[None] = None
    name: str
    out: Console | TextIO = field(default_factory=lambda: _Screen(stderr=True), repr=False)

    def send(self, message: Message, recipient: str) -> Receipt:
        console = self.out if isinstance(self.out, Console) else _Screen(file=self.out)
        try:
            console.print(Text(render_brief(message)), soft_wrap=True, end="")
        except OSError as error:
            return Receipt(ok=False, retry=True, detail=f"the console can't be written to: {error}")
        return Receipt(ok=True, retry=False, detail="printed")


class ConsoleOptions(Options):
    """No keys."""

    def build(self, name: str, languages: Mapping[str, Language]) -> ConsoleChannel:
        """The channel of this name."""
        return ConsoleChannel(name)
