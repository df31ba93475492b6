"""Exports in rows and columns: CSV, XLSX, JSON Lines, Parquet. No spreadsheet executes what stands in a cell.

What looks like the beginning of a formula is disarmed in CSV with an apostrophe in front, as is a text that begins
with an apostrophe: taking one leading apostrophe off gives every text back. In XLSX every text is a cell of the type
text, which is never calculated.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

from query.export.columns import JOINT, Cell, Column
from query.export.errors import ExportError

_PARQUET_ROWS = 5_000
_XLSX_ROWS = 1_048_576
_XLSX_CHARACTERS = 32_767
_CUT = " … [cut]"
# Also behind what a spreadsheet may skip: spaces, controls, invisible characters, a byte order mark.
_FORMULA = re.compile(
    r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫|%]|[\t\r\n]"
)


def disarm(text: str) -> str:
    """A text that no spreadsheet takes for a formula, with an apostrophe in front where it might."""
    return f"'{text}" if text.startswith("'") or _FORMULA.match(text) else text


def write_csv(file: BinaryIO, columns: Sequence[Column], rows: Iterable[list[Cell]]) -> int:
    """RFC 4180, every cell quoted, UTF-8 with a byte order mark, which Excel needs to read Chinese."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([column.name for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        count += 1
    text.flush()
    text.detach()
    return count


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return repr(cell)
    return disarm(cell if isinstance(cell, str) else JOINT.join(cell))


def write_json_lines(file: BinaryIO, columns: Sequence[Column], rows: Iterable[list[Cell]]) -> int:
    """One JSON object a line; lists stay lists, what is unknown is null."""
    names = [column.name for column in columns]
    count = 0
    for row in rows:
        line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
        file.write(line.encode("utf-8") + b"\n")
        count += 1
    return count


def write_xlsx(file: BinaryIO, columns: Sequence[Column], rows: Iterable[list[Cell]]) -> int:
    """One sheet; texts are cells of the type text. A text longer than a cell may be is cut, and says so at its end.

    Raises ExportError for more rows than a sheet has.
    """
    from xlsxwriter import Workbook  # not needed by other commands
    from xlsxwriter.exceptions import FileCreateError

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(_Giving(file), options)
    try:
        sheet = book.add_worksheet("iprwatch")
        # Also when somebody edits the cell, a text stays a text.
        quoted = book.add_format({"quote_prefix": True})
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.name)
        count = 0
        for row in rows:
            count += 1
            if count >= _XLSX_ROWS:
                raise ExportError(
                    f"A sheet holds {_XLSX_ROWS - 1} rows, and there are more; narrow the search, or write CSV."
                )
            for place, cell in enumerate(row):
                _write_cell(sheet, count, place, cell, quoted)
    finally:
        # Also a book that is given up has open files.
        try:
            book.close()
        except FileCreateError as error:
            # The error of the file itself, by which it is known why nothing could be written.
            raise error.args[0] from None
    return count


class _Giving:
    """The file of a workbook until a write fails. A ZIP file that is given up writes its end all the same, later and to
    whom it may; that goes nowhere."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._failed = False

    def tell(self) -> int:
        return self._try(self._file.tell)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._try(lambda: self._file.seek(place, whence))

    def write(self, data: bytes) -> int:
        return self._try(lambda: self._file.write(data))

    def flush(self) -> None:
        self._try(self._file.flush)

    def _try(self, call: Callable[[], int | None]) -> int:
        if self._failed:
            return 0
        try:
            return call() or 0
        except OSError as error:
            # A pipe can't be wound back, which a ZIP file copes with.
            self._failed = error.errno != errno.ESPIPE and not isinstance(error, io.UnsupportedOperation)
            raise


def _write_cell(sheet: Any, row: int, place: int, cell: Cell, quoted: Any) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, place, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, place, cell)
    else:
        text = _cut(cell if isinstance(cell, str) else JOINT.join(cell))
        if not text:
            return
        sheet.write_string(row, place, text, quoted if _FORMULA.match(text) else None)


def _cut(text: str) -> str:
    """A text that a cell can hold, by the count of spreadsheets: a rare character, 𠮷, is two to them."""
    if 2 * len(text) <= _XLSX_CHARACTERS or len(units := text.encode("utf-16-le")) <= 2 * _XLSX_CHARACTERS:
        return text
    return units[: 2 * (_XLSX_CHARACTERS - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def write_parquet(file: BinaryIO, columns: Sequence[Column], rows: Iterable[list[Cell]]) -> int:
    """Typed columns: text, lists of text, 64-bit numbers, booleans. Raises ExportError without pyarrow."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise ExportError(
            "Parquet needs pyarrow, which is not installed: pip install 'iprwatch[parquet]'."
        ) from None
    types = {
        "text": arrow.string(),
        "list": arrow.list_(arrow.string()),
        "number": arrow.float64(),
        "integer": arrow.int64(),
        "boolean": arrow.bool_(),
    }
    schema = arrow.schema([(column.name, types[column.kind]) for column in columns])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(iter(rows), _PARQUET_ROWS):
            cells = [list(column) for column in zip(*group, strict=True)]
            arrays = [
                arrow.array(values, type=types[column.kind])
                for values, column in zip(cells, columns, strict=True)
            ]
            writer.write_table(arrow.table(arrays, schema=schema))
            count += len(group)
    return count


def _groups(rows: Iterator[list[Cell]], size: int) -> Iterator[list[list[Cell]]]:
    while group := list(islice(rows, size)):
        yield group
