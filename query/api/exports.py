"""Exports over HTTP: what a search finds, as a file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from query.api.asking import Search, Text
from query.api.authorisation import asks_for
from query.api.problems import documented, problem
from query.api.served import served_by
from query.api.streaming import stream
from query.export.columns import COLUMNS
from query.export.whole import write_export

router = APIRouter(tags=["items"], dependencies=[Depends(asks_for("read"))])

# By format: the media type, and the end of the file's name.
_FORMATS = {
    "csv": ("text/csv; charset=utf-8; header=present", "csv"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "jsonl": ("application/x-ndjson", "jsonl"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "bibtex": ("application/x-bibtex", "bib"),
    "ris": ("application/x-research-info-systems", "ris"),
    "markdown": ("text/markdown; charset=utf-8", "md"),
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, in parts while it is written. It is whole where the transfer ends in order.",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media_type, _ in _FORMATS.values()
        },
    }
}


class ExportAsked(Search):
    """A search, and how what it finds is written."""

    format: Annotated[
        Literal["csv", "xlsx", "jsonl", "parquet", "bibtex", "ris", "markdown"],
        Field(description="The format of the file."),
    ]
    rows: Annotated[Literal["items", "facts"], Field(description="What a row of a table is.")] = "items"
    columns: Annotated[
        tuple[Text, ...],
        Field(
            max_length=max(map(len, COLUMNS.values())),
            description="The columns of a table in their order; the usual ones when none is given.",
        ),
    ] = ()
    limit: Annotated[
        int | None, Field(ge=1, description="At most so many items, the newest; all when it isn't given.")
    ] = None


@router.get("/export", responses={**documented(), **_FILE}, response_class=Response)
def export_items(request: Request, asked: Annotated[ExportAsked, Query()]) -> Response:
    """Everything that a search finds, newest first, as a file: as it was at one moment, however long it takes.

    At most two are written at a time; who asks for a third is told to come again.
    """
    served = served_by(request)
    conditions = asked.conditions(served)
    if not served.exports.acquire(blocking=False):
        return problem(503, "Two exports are being written; ask again later.", headers={"Retry-After": "30"})

    def write(file: BinaryIO) -> None:
        try:
            write_export(
                served.engine, conditions, file, format=asked.format, rows=asked.rows,
                columns=asked.columns or None, limit=1 if request.state.bodiless else asked.limit,
            )  # fmt: skip
        finally:
            served.exports.release()

    def write_whole(file: BinaryIO) -> None:
        # Nothing of a workbook can be sent before it is whole, and one that can't be made whole shall not be.
        with tempfile.TemporaryFile() as book:
            write(book)
            book.seek(0)
            shutil.copyfileobj(book, file)

    chunks = stream(write_whole if asked.format == "xlsx" else write)
    # Taken before the answer begins, so that what can't be exported is refused.
    first = next(chunks, b"")
    media_type, ending = _FORMATS[asked.format]
    name = f"iprwatch-{served.now():%Y-%m-%d}.{ending}"
    return StreamingResponse(
        _after(first, chunks),
        headers={"Content-Type": media_type, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def _after(first: bytes, chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    yield first
    yield from chunks
