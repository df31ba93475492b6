"""What an export of very many items takes, and whether other programs read out of it what was written.

    python -m benchmarks.export [--items 1000000] [--rows items] [--formats csv jsonl parquet]
    python -m benchmarks.export --check [--items 1000]

The first fills an SQLite store in the temporary folder with copies of a hundred invented articles and their facts,
and writes it in each format in a process of its own. Shown are rows, size, seconds by the wall clock, and the most
memory that the process ever had, beside that of an export of one item: what it takes to start.

With `--check` every column is written as CSV, XLSX and Parquet, opened again with pandas (the extra `bench`), and each
cell compared with what JSON Lines say. Where LibreOffice is installed (`soffice`), it opens CSV and XLSX too and what it
calculates and shows is compared. One title in three begins like a formula.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert, inspect

from benchmarks.notices import write_article
from crawlers.notice import Notice, PrintedDate
from pipeline import interpret
from pipeline.record import Context, Record
from pipeline.store.session import open_engine
from pipeline.store.tables import Run
from pipeline.store.write import write_records
from query.export.columns import COLUMNS, JOINT
from query.export.whole import write_export
from query.search import find_conditions

ARTICLES = 100
HOSTILE = (
    "=1+1",
    "＝cmd|' /C calc'!A0",
    "+1+2",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "'=1+1",
    "_x0041_",
    "007",
    "1E5",
    "TRUE",
)
# What differs from copy to copy, by table and column; k is the number of the copy, the others how many rows there are.
_COPIED = {
    "item": {
        "id": "id + k * {item}",
        "uid": "lower(hex(randomblob(16)))",
        "identity": "identity || '-' || k",
        "sort_key": "sort_key + k",
    },
    "version": {"id": "id + k * {version}", "item_id": "item_id + k * {item}"},
    "fact": {"id": "id + k * {fact}", "item_id": "item_id + k * {item}"},
    "story": {"id": "id + k * {story}", "lead_id": "lead_id + k * {item}"},
    "story_member": {"item_id": "item_id + k * {item}", "story_id": "story_id + k * {story}"},
}


def articles(count: int) -> Iterator[Record]:
    """Invented articles as a crawl would hand them over; one title in three is none that a spreadsheet should trust."""
    random = Random(1)
    context = Context(
        source_key="invented", publisher_zh="某院", publisher_en="A court", topics=("law",), run_id=1, baseline=False,
        status=200, headers={},
    )  # fmt: skip
    for number in range(1, count + 1):
        title, body = write_article(random)
        url = f"https://www.example.org/{number}.html"
        yield interpret(
            Notice(
                reader="court_gov",
                url=url,
                title=HOSTILE[number // 3 % len(HOSTILE)] + title if number % 3 == 0 else title,
                publisher="某院",
                author=None,
                dates=(PrintedDate(f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}", "labelled text"),),
                body=body,
                links=(),
                attachments=(),
                identity=f"example.org:{number}",
                entry=None,
                fetched_at=datetime(2026, 12, 31, tzinfo=UTC),
                sha256=hashlib.sha256(url.encode()).hexdigest(),
            ),
            context,
        )


def fill(engine: Engine, items: int) -> None:
    """Store so many items: articles, and copies of them by SQL."""
    with engine.begin() as connection:
        now = datetime(2026, 12, 31, tzinfo=UTC)
        run = {
            "id": 1,
            "source_key": "invented",
            "started_at": now,
            "state": "ok",
            "baseline": False,
            "counts": {},
        }
        connection.execute(insert(Run).values(run))
    records = list(articles(min(ARTICLES, items)))
    write_records(engine, records)
    with engine.begin() as connection:
        inspector = inspect(connection)
        sizes = {
            name: connection.exec_driver_sql(f"SELECT max({next(iter(columns))}) FROM {name}").scalar()
            for name, columns in _COPIED.items()
        }
        for name, changed in _COPIED.items():
            columns = [str(column["name"]) for column in inspector.get_columns(name)]
            chosen = ", ".join(changed.get(column, f'"{column}"').format_map(sizes) for column in columns)
            named = ", ".join(f'"{column}"' for column in columns)
            connection.exec_driver_sql(
                f"WITH RECURSIVE copies(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copies WHERE k < "
                f"{items // len(records) - 1}) INSERT INTO {name} ({named}) SELECT {chosen} FROM {name}, copies "
                f"WHERE {items // len(records)} > 1"
            )


def export(url: str, file: Path, form: str, rows: str, limit: int | None) -> tuple[int, float, int]:
    """Write an export; its rows, the seconds, and the most memory of this process in MiB."""
    engine = open_engine(url, create=False)
    began = time.monotonic()
    with file.open("wb") as out:
        written = write_export(engine, find_conditions("sqlite"), out, format=form, rows=rows, limit=limit)
    seconds = time.monotonic() - began
    # Not ru_maxrss, which begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text("ascii")
    return written, seconds, int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure(url: str, folder: Path, formats: Iterable[str], rows: str) -> Table:
    """One line a format; each export is a process of its own, so that memory is its own too."""
    table = Table("Format", *("Rows", "MB", "Seconds", "Peak MiB", "Peak MiB of one item"))
    for form in formats:
        file = folder / f"out.{form}"
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            _, _, least = pool.apply(export, (url, file, form, rows, 1))
            written, seconds, most = pool.apply(export, (url, file, form, rows, None))
        size = file.stat().st_size / 1e6
        table.add_row(form, f"{written:,}", f"{size:,.0f}", f"{seconds:,.0f}", f"{most:,}", f"{least:,}")
        file.unlink()
    return table


def check(url: str, folder: Path) -> Table:
    """One line for each program and format: cells compared, and how many differ."""
    import pandas
    from openpyxl.utils.escape import unescape

    engine = open_engine(url, create=False)
    for form in ("jsonl", "csv", "xlsx", "parquet"):
        with (folder / f"out.{form}").open("wb") as out:
            write_export(engine, find_conditions("sqlite"), out, format=form, columns=list(COLUMNS["items"]))
    lines = (folder / "out.jsonl").read_text("utf-8").split("\n")
    written = [list(json.loads(line).values()) for line in lines if line]
    table = Table("Read by", "Cells", "Differ", "First that differs")
    read = {
        "pandas, CSV": pandas.read_csv(
            folder / "out.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
        ).values.tolist(),
        "pandas, XLSX": pandas.read_excel(
            folder / "out.xlsx", dtype=object, keep_default_na=False, na_values=[]
        ).values.tolist(),
        "pandas, Parquet": pandas.read_parquet(
            folder / "out.parquet", dtype_backend="pyarrow"
        ).values.tolist(),
    }
    if shutil.which("soffice"):
        read["LibreOffice, XLSX"] = _by_office(folder, "out.xlsx")
        # As who imports a CSV chooses: UTF-8, commas, quoted cells as text.
        read["LibreOffice, CSV"] = _by_office(folder, "out.csv", "--infilter=CSV:44,34,76,1,,0,true")
    for name, rows in read.items():
        disarmed = "CSV" in name
        pairs = [
            (one, other)
            for row, others in zip(written, rows, strict=True)
            for one, other in zip(row, others, strict=True)
        ]
        if name == "pandas, XLSX":
            # openpyxl leaves a text that looks like an escaped character escaped; spreadsheets don't.
            pairs = [(one, unescape(other) if isinstance(other, str) else other) for one, other in pairs]
        wrong = [(one, other) for one, other in pairs if not _same(one, other, disarmed=disarmed)]
        shown = " / ".join(repr(value)[:60] for value in wrong[0]) if wrong else ""
        table.add_row(name, f"{len(pairs):,}", f"{len(wrong):,}", shown)
    return table


def _by_office(folder: Path, name: str, *options: str) -> list[list[str]]:
    out = folder / "office"
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}", *options,
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false", "--outdir", out, folder / name],
        check=True, capture_output=True,
    )  # fmt: skip
    with (out / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _same(one: Any, other: Any, *, disarmed: bool) -> bool:
    """Whether a cell, which JSON says to be `one`, was read as `other`."""
    if hasattr(other, "tolist"):
        other = other.tolist()
    if isinstance(one, list) and not isinstance(other, list):
        one = JOINT.join(one)
    if isinstance(other, str) and not isinstance(one, str):
        if one is None:
            return other == ""
        if isinstance(one, bool):
            return other.lower() == str(one).lower()
        return float(other) == float(one)
    if one is None:
        # None, not a number, or what pandas has for what is missing, which compares with nothing.
        return repr(other) in ("None", "nan", "<NA>")
    if disarmed and isinstance(other, str):
        other = other.removeprefix("'")
    return bool(one == other)


def main() -> None:
    """Measure or check, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rows", choices=list(COLUMNS), default="items")
    parser.add_argument("--formats", nargs="+", default=["csv", "jsonl", "parquet"])
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'store.db'}"
        engine = open_engine(url)
        began = time.monotonic()
        fill(engine, arguments.items)
        engine.dispose()
        size = (folder / "store.db").stat().st_size / 1e6
        console.print(
            f"{arguments.items:,} items, {size:,.0f} MB, filled in {time.monotonic() - began:,.0f} s"
        )
        console.print(
            check(url, folder) if arguments.check else measure(url, folder, arguments.formats, arguments.rows)
        )


if __name__ == "__main__":
    main()
