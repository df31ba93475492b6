"""The files of watchlists: CSV and XLSX tables with a header, read as the texts that a person sees in their cells.

A spreadsheet may hold what it doesn't show: formulas, dates that are numbers, digits that it has rounded away. Such
cells are refused by their place, so that nothing else is watched than what stands there.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from errors import ConfigurationError

COLUMNS = ("name", "aliases", "kind", "reference")
MOST_ROWS = 20_000
MOST_BYTES = 20_000_000
"""Of a file; what an XLSX file holds, unpacked, may be ten times that."""
_FORMATS_OF_DIGITS = ("General", "@", "0")
_MOST_DIGITS = 15  # a spreadsheet keeps no more of a number
_Row = tuple[int, Sequence[str]]
# What openpyxl raises for a file that is none of its own; damaged XML is a SyntaxError, a sheet of charts an
# AttributeError, an encrypted file a RuntimeError.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, ArithmeticError, AttributeError, EOFError, LookupError, RuntimeError, SyntaxError,
    TypeError, ValueError,
)  # fmt: skip


def read_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header that hold anything, with their numbers. Raises ConfigurationError naming the place."""
    rows = _read_file(file)
    _, first = next(rows, (1, ()))
    header = [column.lower() for column in first]
    _check_header(header, file)
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise ConfigurationError(
                f"{file}: row {number}: has {len(cells)} cells, its header {len(header)}."
            )
        if number > MOST_ROWS:
            raise ConfigurationError(f"{file}: row {number}: a watchlist may have {MOST_ROWS} rows.")
        yield number, dict(zip(header, cells, strict=True))


def _read_file(file: Path) -> Iterator[_Row]:
    readers = {".csv": _read_csv, ".xlsx": _read_xlsx}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise ConfigurationError(f"{file}: is no CSV or XLSX file; save the table as one of them.")
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"{file}: is larger than {MOST_BYTES // 1_000_000} MB.")
        for number, cells in reader(file):
            yield number, [_on_one_line(cell, file, number, place) for place, cell in enumerate(cells, 1)]
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be read ({error.strerror or error}).") from None


def _on_one_line(cell: str, file: Path, number: int, place: int) -> str:
    line = " ".join(cell.split())
    if odd := [one for one in line if unicodedata.category(one) in ("Cc", "Cs")]:
        raise ConfigurationError(
            f"{file}: row {number}, column {place}: holds U+{ord(odd[0]):04X}, which is no character of a text; "
            "write the cell anew."
        )
    return line


def _read_csv(file: Path) -> Iterator[_Row]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not in UTF-8; save the table as “CSV UTF-8”.") from None
    # Rows end where spreadsheets end them: other line separators are a part of their cell.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ConfigurationError(f"{file}: row {reader.line_num}: can't be read ({error}).") from None


def _read_xlsx(file: Path) -> Iterator[_Row]:
    # Every crawl has this module in memory, and few have a list of this form.
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(file) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > 10 * MOST_BYTES:
            raise ConfigurationError(f"{file}: holds more than {MOST_BYTES // 100_000} MB.")
        book = load_workbook(file, read_only=True, keep_links=False)
        try:
            yield from _read_sheet(book.worksheets, file)
        finally:
            book.close()
    except _DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{file}: is no XLSX file that can be read ({reason}); save the table as “CSV UTF-8” instead."
        ) from None


def _read_sheet(sheets: Sequence[Any], file: Path) -> Iterator[_Row]:
    """The rows of the only sheet that holds anything, without the empty cells at their ends where no header is."""
    filled = [sheet for sheet in sheets if _holds_anything(sheet)]
    if len(filled) > 1:
        raise ConfigurationError(f"{file}: has {len(filled)} sheets that hold something; leave one.")
    width = None
    for number, row in enumerate(filled[0].iter_rows() if filled else (), 1):
        cells = [_read_cell(cell, place, number, file) for place, cell in enumerate(row, 1)]
        while cells and not cells[-1] and (width is None or len(cells) > width):
            cells.pop()
        width = len(cells) if width is None else width
        yield number, cells + [""] * (width - len(cells))


def _holds_anything(sheet: Any) -> bool:
    sheet.reset_dimensions()  # what a file says of its size may be wrong, and would cut it
    return any(cell.value is not None for row in sheet.iter_rows(max_row=MOST_ROWS + 1) for cell in row)


def _read_cell(cell: Any, place: int, number: int, file: Path) -> str:
    """The text that the cell shows."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        holds = "a formula"
    elif cell.data_type == "e":
        holds = "an error"
    elif isinstance(value, str):
        from openpyxl.utils.escape import unescape

        return str(unescape(value))
    elif isinstance(value, bool):
        holds = "a truth value"
    elif isinstance(value, int) and cell.number_format in _FORMATS_OF_DIGITS:
        if len(str(abs(value))) <= _MOST_DIGITS:
            return str(value)
        holds = "a number that has lost digits"
    else:
        holds = "a date" if cell.is_date else "a number that may show otherwise"
    raise ConfigurationError(
        f"{file}: row {number}, column {place}: holds {holds}; format the cell as text and write it there anew."
    )


def _check_header(header: list[str], file: Path) -> None:
    if "name" not in header:
        raise ConfigurationError(
            f"{file}: row 1: a column “name” is missing; the columns are {', '.join(COLUMNS)}."
        )
    for place, column in enumerate(header):
        if column not in COLUMNS:
            raise ConfigurationError(
                f"{file}: row 1, column {place + 1}: {column!r} is no column of a watchlist; there are "
                f"{', '.join(COLUMNS)}."
            )
        if column in header[:place]:
            raise ConfigurationError(f"{file}: row 1, column {place + 1}: {column!r} stands there twice.")
