"""The data tables that the legal rules read: what each holds, where it comes from, and its rows.

A table is a .csv or .toml file of this folder. The comment at its top says what it is and names its source and the
month in which that was read.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from pipeline.legal.court_codes import added_courts

_FOLDER = Path(__file__).parent
_READ = re.compile(r"\bread (\d{4}-\d{2})\b")
_SECTION = "section"


@dataclass(frozen=True, slots=True)
class DataTable:
    """A data table: `about` is its comment, `read` the month (YYYY-MM) in which its source was read, each row a value
    for each of `columns`, None where the file has none. Courts that the operator added stand among the court codes in
    a section `operator`, each with its source."""

    name: str
    file: str
    about: str
    read: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def table_names() -> tuple[str, ...]:
    """The names of all data tables."""
    return tuple(sorted(file.stem for file in _FOLDER.iterdir() if file.suffix in (".csv", ".toml")))


def read_table(name: str) -> DataTable:
    """Read a data table by its name. Raises KeyError for an unknown one, ValueError for one without its source."""
    if name not in table_names():
        raise KeyError(name)
    file = next(
        _FOLDER / f"{name}{suffix}" for suffix in (".csv", ".toml") if (_FOLDER / f"{name}{suffix}").exists()
    )
    text = file.read_text(encoding="utf-8")
    about = " ".join(
        line.lstrip("# ").strip() for line in takewhile(lambda line: line.startswith("#"), text.splitlines())
    )
    read = _READ.search(about)
    if read is None:
        raise ValueError(
            f"{file.name}: the comment at the top must name the source and the month it was read"
        )
    rows = _read_csv(text) if file.suffix == ".csv" else _read_toml(text)
    if name == "court_codes":
        rows += _added_courts()
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return DataTable(
        name, file.name, about, read[1], columns, tuple(tuple(map(row.get, columns)) for row in rows)
    )


def _added_courts() -> list[dict[str, Any]]:
    return [
        {
            _SECTION: "operator",
            "key": code,
            "value": [added.court.level, added.court.name_zh, added.court.name_en],
            "source": added.source,
        }
        for code, added in added_courts().items()
    ]


def _read_csv(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _read_toml(text: str) -> list[dict[str, Any]]:
    return [row for section, content in tomllib.loads(text).items() for row in _flatten(section, content)]


def _flatten(section: str, content: Any) -> list[dict[str, Any]]:
    if isinstance(content, list):
        return [
            {_SECTION: section, **entry} if isinstance(entry, dict) else {_SECTION: section, "value": entry}
            for entry in content
        ]
    if not isinstance(content, dict):
        return [{_SECTION: section, "value": content}]
    if content and all(isinstance(part, dict) for part in content.values()):
        return [row for name, part in content.items() for row in _flatten(f"{section}.{name}", part)]
    return [{_SECTION: section, "key": key, "value": value} for key, value in content.items()]
