"""The commands that show an item in full, and the data tables behind its facts."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_corrections import corrections_table
from cli_output import DatabaseOption, JsonOption, out, print_json, read_configuration
from cli_stories import story_tables
from pipeline.legal.tables import read_table, table_names
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.item import describe_item

_LONG = 400


def show_command(
    context: typer.Context,
    uid: Annotated[str, typer.Argument(help="The item: its id, the beginning of it, or its URL.")],
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print everything known of an item: each field and fact with its origin, versions, story, alerts, evidence."""
    configuration = read_configuration(context, database=db)
    item = describe_item(open_engine(configuration.database_url, create=False), uid)
    if as_json:
        print_json(item)
        return
    for version in item["versions"]:
        version["changed"] = "\n".join(change["shown"] for change in version["changes"])
    for title, part, columns in (
        (f"{item['uid']}: fields", "fields", ("field", "value", "raw", "place", "method")),
        (
            "Printed dates",
            "candidates",
            ("place", "raw", "meaning", "value", "precision", "method", "reason"),
        ),
        ("Facts", "facts", ("kind", "reading", "raw", "field", "method", "value", "sentence")),
        ("Versions", "versions", ("number", "fetched_at", "reason", "title", "changed", "snapshot_sha256")),
        (
            "Withdrawn",
            "withdrawals",
            (
                "kind",
                "detail",
                "seen_until",
                "gone_at",
                "confirmed_at",
                "returned_at",
                "judgement",
                "judged_reason",
                "snapshot_sha256",
            ),
        ),
        ("Inserted into a list later", "inserted", ("source", "shown_first_at", "place")),
        ("Addresses", "addresses", ("address",)),
        ("Alerts", "deliveries", ("created_at", "rule", "event", "channel", "recipient", "state", "detail")),
        ("Pages kept", "snapshots", ("fetched_at", "status", "url", "sha256")),
    ):
        rows = [row if isinstance(row, dict) else {"address": row} for row in item[part]]
        if rows:
            out.print(_plain_table(title, columns, rows))
    if item["recheck"]:
        columns = ("due_at", "checked_at", "outcome", "detail")
        out.print(_plain_table("Recheck", columns, [item["recheck"]]))
    if item["same_as"]:
        out.print(f"This is the same article as {item['same_as']}, which stands for it.", highlight=False)
    for table in story_tables(item["story"]):
        out.print(table)
    if item["corrections"]:
        out.print(corrections_table([{**row, "uid": item["uid"]} for row in item["corrections"]]))


def tables_command(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The table whose rows to show; all tables are listed without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the data tables behind the facts (court codes, statutes, kinds of right …), with source and date."""
    if name is not None and name not in table_names():
        raise QueryError(f"No data table is called {name!r}; there are {', '.join(table_names())}.")
    read_configuration(context)
    tables = [read_table(known) for known in (table_names() if name is None else [name])]
    described = [
        {
            "name": table.name,
            "file": table.file,
            "about": table.about,
            "read": table.read,
            "rows": len(table.rows),
        }
        for table in tables
    ]
    if name is None:
        if as_json:
            print_json(described)
        else:
            out.print(_plain_table("Data tables", ("name", "rows", "read", "about"), described))
        return
    rows = [dict(zip(tables[0].columns, row, strict=True)) for row in tables[0].rows]
    if as_json:
        print_json({**described[0], "rows": rows})
        return
    out.print(_plain_table(tables[0].name, tables[0].columns, rows))
    out.print(tables[0].about, markup=False, highlight=False, style="dim")


def _plain_table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(*(Column(column, overflow="fold") for column in columns), title=escape(title))
    for row in rows:
        table.add_row(*(escape(_shown(row[column])) for column in columns))
    return table


def _shown(value: Any) -> str:
    """A value in a cell: what is known of it, at most 400 characters; the JSON has all."""
    if value is None:
        return ""
    if isinstance(value, dict):
        value = {key: part for key, part in value.items() if part is not None}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else text[:_LONG] + "…"
