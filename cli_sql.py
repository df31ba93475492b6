"""The command that answers questions in SQL."""

from __future__ import annotations

import csv
import json
import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import DatabaseOption, JsonOption, err, out, print_json, read_configuration
from pipeline.store.session import open_engine
from pipeline.store.views import view_columns
from query.errors import QueryError
from query.export.tables import disarm
from query.sql.ask import Answer, ask


def sql_command(
    context: typer.Context,
    statement: Annotated[
        str | None, typer.Argument(help="One SELECT over the views; - reads it from standard input.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many rows.")] = 1000,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, max=600, help="Break off what takes longer.")
    ] = 10.0,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, safe for spreadsheets.")] = False,
) -> None:
    """Ask the views with SQL, read only. Without a statement: the views and their columns."""
    if as_json and as_csv:
        raise QueryError("--json and --csv exclude each other.")
    configuration = read_configuration(context, database=db)
    if statement is None:
        _list_views(configuration.database_url, as_json=as_json)
        return
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape") if statement == "-" else statement
    url = configuration.database_url if db else configuration.sql_database or configuration.database_url
    answer = ask(url, text, rows=limit, seconds=seconds)
    if as_json:
        print_json({"columns": answer.columns, "rows": answer.rows, "more": answer.more})
    elif as_csv:
        _print_csv(answer)
    else:
        table = Table(*(Column(escape(name), overflow="fold") for name in answer.columns))
        for row in answer.rows:
            table.add_row(*(escape(_shown(cell)) for cell in row))
        out.print(table)
    if answer.more and not as_json:
        err.print(f"Only the first {limit} rows; --limit shows more.", highlight=False)


def _list_views(url: str, *, as_json: bool) -> None:
    with open_engine(url, create=False).connect().execution_options(read_only=True) as connection:
        columns = view_columns(connection)
    if as_json:
        print_json(columns)
        return
    table = Table("View", Column("Columns", overflow="fold"))
    for name, names in columns.items():
        table.add_row(name, ", ".join(names))
    out.print(table)


def _print_csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(map(disarm, answer.columns))
    for row in answer.rows:
        writer.writerow([disarm(cell) if isinstance(cell, str) else _shown(cell) for cell in row])


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
