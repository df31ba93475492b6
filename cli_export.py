"""The command that takes items away: to a table, to JSON Lines, as citations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli_filters import (
    CaseFilter,
    CourtFilter,
    CurrencyFilter,
    DocumentFilter,
    IpTypeFilter,
    KindFilter,
    LeastFilter,
    MostFilter,
    PartyFilter,
    SavedFilter,
    SinceFilter,
    SourceFilter,
    StatuteFilter,
    UntilFilter,
    WithdrawnFilter,
    WordsArgument,
    read_filter,
)
from cli_output import DatabaseOption, err, read_configuration
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.export.columns import COLUMNS
from query.export.whole import FORMATS, format_of, whole_file, write_export
from query.fact_filters import CURRENCY
from query.search import find_conditions


def export_command(
    context: typer.Context,
    words: WordsArgument = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FILE",
            help="The file to write; its ending names the format. - is standard output.",
        ),
    ] = "-",
    format: Annotated[
        str | None,
        typer.Option("--format", help=f"Another format than the ending says: {', '.join(FORMATS)}."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="The columns in their order, separated by commas."),
    ] = None,
    rows: Annotated[str, typer.Option("--rows", help="What a row is: items, or facts.")] = "items",
    source: SourceFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    case_no: CaseFilter = None,
    court: CourtFilter = None,
    amount_min: LeastFilter = None,
    amount_max: MostFilter = None,
    currency: CurrencyFilter = CURRENCY,
    ip_type: IpTypeFilter = None,
    statute: StatuteFilter = None,
    party: PartyFilter = None,
    doc_no: DocumentFilter = None,
    kind: KindFilter = None,
    withdrawn: WithdrawnFilter = False,
    saved: SavedFilter = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many items, newest first.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Write the items that a search finds to CSV, XLSX, JSON Lines, Parquet, BibTeX, RIS or Markdown."""
    configuration = read_configuration(context, database=db)
    if rows not in COLUMNS:
        raise QueryError(f"--rows {rows}: a row is one of {', '.join(COLUMNS)}.")
    asked = read_filter(configuration, context.params)
    chosen = format or (format_of(Path(to)) if to != "-" else "csv")
    names = None if columns is None else [name.strip() for name in columns.split(",") if name.strip()]
    engine = open_engine(configuration.database_url, create=False)
    conditions = find_conditions(engine.dialect.name, **asked)
    if to == "-":
        write_export(
            engine, conditions, sys.stdout.buffer, format=chosen, rows=rows, columns=names, limit=limit
        )
        sys.stdout.buffer.flush()
        return
    with whole_file(Path(to)) as file:
        written = write_export(engine, conditions, file, format=chosen, rows=rows, columns=names, limit=limit)
    said = "1 row" if written == 1 else f"{written} rows"
    err.print(f"{said} written to {to}.", markup=False, highlight=False, soft_wrap=True)
