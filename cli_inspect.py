"""The commands `iprwatch inspect …`: what readers and pipeline make of a page, a date, a text, a pair, a folder."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli_output import read_configuration
from crawlers.inspection import describe_fact, describe_page, judge_folder, open_saved_page
from errors import IprwatchError, first_fault
from pipeline.dates import read_own_date
from pipeline.dedupe import Text, compare
from pipeline.legal import find_facts
from pipeline.normalize import identify_url
from pipeline.store.dating import describe_date

inspect_app = typer.Typer(
    help="See what iprwatch makes of a page, a date, a text or a pair. Uses exactly the code of a crawl.",
    no_args_is_help=True,
)
out = Console(width=None if os.isatty(1) else 160)


@inspect_app.callback()
def configure_inspection(context: typer.Context) -> None:
    """Read the configuration, so that the operator's court codes hold here too."""
    read_configuration(context)


class InputError(IprwatchError):
    """A line or option given to `iprwatch inspect` can't be used. Raised by these commands."""


class _Side(BaseModel):
    title: str
    body: str
    url: str | None = None

    @property
    def text(self) -> Text:
        return Text(self.title, self.body, identify_url(self.url) if self.url and self.url.strip() else None)


class _Pair(BaseModel):
    a: _Side
    b: _Side


@inspect_app.command("page")
def inspect_page(
    file: Annotated[Path, typer.Argument(help="A saved page; .gz is unpacked.")],
    url: Annotated[str, typer.Option("--url", help='Where the page came from; "" when nobody knows.')],
    fetched: Annotated[
        str | None,
        typer.Option(
            "--fetched", metavar="TIME", help="When it was fetched, with zone: 2026-11-20T09:00+08:00."
        ),
    ] = None,
) -> None:
    """Print as JSON what one saved page is and holds."""
    time = _read_time(fetched, "--fetched")
    _print_line(describe_page(open_saved_page(file, url, time), fetch_time_known=time is not None), indent=2)


@inspect_app.command("dates")
def inspect_dates(
    base: Annotated[
        str | None, typer.Option("--base", metavar="TIME", help="When the page was fetched, with zone.")
    ] = None,
) -> None:
    """Read printed dates, one a line, from standard input; print one JSON object a line."""
    time = _read_time(base, "--base")
    for _, line in _input_lines():
        value, printed = read_own_date(line, time)
        several = {"dates": [describe_date(one) for one in printed]} if len(printed) > 1 else {}
        _print_line(describe_date(value) | several)


@inspect_app.command("facts")
def inspect_facts() -> None:
    """Read a text from standard input; print one JSON object a legal fact."""
    for fact in find_facts(_read_input()):
        _print_line(describe_fact(fact))


@inspect_app.command("same")
def inspect_same() -> None:
    """Read pairs, one JSON object {"a": …, "b": …} a line (title, body, url each); print verdict and reason."""
    for number, line in _input_lines():
        if not line.strip():
            continue
        try:
            pair = _Pair.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"Line {number} of standard input is no pair ({first_fault(error)}); write "
                '{"a": {"title": …, "body": …, "url": …}, "b": {…}}.'
            ) from None
        comparison = compare(pair.a.text, pair.b.text)
        _print_line({"verdict": comparison.verdict, "reason": comparison.reason})
        sys.stdout.flush()  # who writes a pair and waits for its verdict gets it


@inspect_app.command("folder")
def inspect_folder(
    folder: Annotated[Path, typer.Argument(help="A folder with MANIFEST.csv.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Read every file of a folder and compare with its index. Exit code 1 when one is wrong."""
    counts: Counter[tuple[str, str, str]] = Counter()
    table = Table("File", "Should be", "Is", "Verdict", "Title", "Publisher", "Published", "Remark")
    wrong = False
    for judged in judge_folder(folder):
        counts[judged.expected_kind, judged.kind, judged.verdict] += 1
        wrong |= judged.verdict == "wrong"
        row = [
            judged.file,
            judged.expected_kind,
            judged.kind,
            judged.verdict,
            judged.title,
            judged.publisher,
            judged.published,
            judged.remark,
        ]
        if as_json:
            names = ("file", "expected_kind", "kind", "verdict", "title", "publisher", "published", "remark")
            _print_line(dict(zip(names, row, strict=True)))
        else:
            style = {"wrong": "bold red", "refused": "yellow"}.get(judged.verdict)
            table.add_row(*(escape(str(cell or "")) for cell in row), style=style)
    if not as_json:
        out.print(table)
        summary = Table("Should be", "Is", "Verdict", "Files", title="Summary")
        for (expected, kind, verdict), number in sorted(counts.items()):
            summary.add_row(expected, kind, verdict, str(number))
        out.print(summary)
    if wrong:
        raise typer.Exit(1)


def _read_time(value: str | None, option: str) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise InputError(f"{option}: {value!r} is no time; write 2026-11-20T09:00+08:00.") from None
    if time.tzinfo is None:
        raise InputError(f"{option}: {value!r} needs a zone, such as +08:00.")
    return time


def _read_input() -> str:
    return "".join(line for _, line in _decoded_lines())


def _input_lines() -> Iterator[tuple[int, str]]:
    return ((number, line.removesuffix("\n").removesuffix("\r")) for number, line in _decoded_lines())


def _decoded_lines() -> Iterator[tuple[int, str]]:
    """Standard input line by line, as it comes. Only a line feed ends a line: a page's text may hold U+2028."""
    if sys.stdin is None:
        raise InputError("Standard input is closed; write to it what is to be inspected.")
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            # Programs for Windows begin a file with a byte order mark.
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"Line {number} of standard input is not UTF-8 (byte {error.start + 1} of the line); write it as UTF-8."
            ) from None


def _print_line(value: dict[str, Any], indent: int | None = None) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
