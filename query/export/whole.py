"""Writing an export as a whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ColumnElement, Engine

from query.export.citations import write_bibtex, write_markdown, write_ris
from query.export.columns import Stored, pick_columns
from query.export.errors import ExportError
from query.export.rows import needs_body, stream_rows, stream_stored
from query.export.tables import write_csv, write_json_lines, write_parquet, write_xlsx

TABLES = {"csv": write_csv, "xlsx": write_xlsx, "jsonl": write_json_lines, "parquet": write_parquet}
CITATIONS: dict[str, Callable[[BinaryIO, Iterable[Stored]], int]] = {
    "bibtex": write_bibtex,
    "ris": write_ris,
    "markdown": write_markdown,
}
FORMATS = (*TABLES, *CITATIONS)
_ENDINGS = {"bib": "bibtex", "md": "markdown", **{name: name for name in FORMATS}}


def format_of(path: Path) -> str:
    """The format that a file's ending stands for. Raises ExportError where it stands for none."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in _ENDINGS:
        raise ExportError(
            f"{path}: its ending names no format; add --format with one of {', '.join(FORMATS)}."
        )
    return _ENDINGS[ending]


def write_export(
    engine: Engine,
    conditions: Sequence[ColumnElement[bool]],
    file: BinaryIO,
    *,
    format: str,
    rows: str = "items",
    columns: Sequence[str] | None = None,
    limit: int | None = None,
) -> int:
    """Write the items that meet the conditions, newest first, and return how many rows that were.

    `rows` is `items` or `facts` (one row a fact); `columns` are names of `query.export.columns`. Memory doesn't grow
    with the number of items. Raises ExportError for a format or column that there isn't, and for columns of a
    citation.
    """
    if format in TABLES:
        picked = pick_columns(rows, columns)
        with closing(stream_stored(engine, conditions, body=needs_body(picked), limit=limit)) as items:
            return TABLES[format](file, picked, stream_rows(picked, items, rows))
    if format not in CITATIONS:
        raise ExportError(f"No format is called {format!r}; there are {', '.join(FORMATS)}.")
    if columns is not None or rows != "items":
        raise ExportError(f"{format} has a form of its own, without columns; leave out --columns and --rows.")
    with closing(stream_stored(engine, conditions, body=False, limit=limit)) as items:
        return CITATIONS[format](file, items)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that stands under its name only once it is whole and on disk; until then under another name beside it.

    Those may read it who could read the file before it, and a link goes on leading to it. Raises ExportError where it
    can't be written, and where the name is that of something else, such as a device or a pipe: that isn't replaced.
    """
    if path.exists() and not path.is_file():
        raise ExportError(f"{path}: can't be written (it is no file, but a folder, a device or a pipe).")
    path = Path(os.path.realpath(path))
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise ExportError(f"{path}: can't be written ({error.strerror}).") from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise ExportError(f"{path}: can't be written ({error.strerror}).") from None
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
