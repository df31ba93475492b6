"""docs/alerts.md shows each channel's alert as it is; what it shows is made here, from the message of a test."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.alerts.channels import ConsoleChannel, build_channel
from pipeline.alerts.wording import EXAMPLE, Wording

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "alerts.md"


def on_screen(_folder: Path) -> str:
    out = io.StringIO()
    ConsoleChannel("screen", Console(file=out, width=200)).send(EXAMPLE, "")
    return out.getvalue()


def in_file(folder: Path) -> str:
    path = folder / "alerts.jsonl"
    build_channel("log", {"kind": "file", "path": str(path)}).send(EXAMPLE, "")
    return json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False, indent=2) + "\n"


SHOWN: dict[str, Callable[[Path], str]] = {
    "Screen": on_screen,
    "File and webhook": in_file,
    "Mail": lambda _: Wording("mail").write(EXAMPLE, ""),
    "Robots, as text": lambda _: Wording("chat", "zh").write(EXAMPLE, ""),
    "Robots, as Markdown": lambda _: Wording("markdown", "zh").write(EXAMPLE, ""),
    "Apprise": lambda _: Wording("any").write(EXAMPLE, ""),
}


@pytest.mark.parametrize("heading", SHOWN)
def test_the_page_shows_what_a_recipient_sees(heading: str, tmp_path: Path) -> None:
    _, _, rest = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")
    assert rest.partition("```\n")[2].partition("```")[0] == SHOWN[heading](tmp_path)
