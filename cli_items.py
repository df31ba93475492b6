"""The commands that find items, show one in full, and show the data tables behind its facts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_corrections import corrections_table
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
    SinceFilter,
    SourceFilter,
    StatuteFilter,
    UntilFilter,
    WithdrawnFilter,
    WordsArgument,
    read_filter,
)
from cli_output import (
    DatabaseOption,
    JsonOption,
    items_table,
    out,
    print_json,
    read_configuration,
    widened_table,
)
from cli_stories import story_tables
from pipeline.legal.tables import read_table, table_names
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.fact_filters import CURRENCY
from query.item import describe_item
from query.search import describe_hit, search_items
from query.suggestions import suggest_words

_LONG = 400


def search_command(
    context: typer.Context,
    words: WordsArgument = None,
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
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what the words are widened to and how fields are read.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many, newest first.")
    ] = 20,
    withdrawn: WithdrawnFilter = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find stored items, newest first. Of one repeated filter one value is enough; all filters must be met."""
    configuration = read_configuration(context, database=db)
    asked = read_filter(configuration, context.params)
    query = asked["query"]
    engine = open_engine(configuration.database_url, create=False)
    found = search_items(
        engine,
        **asked,
        limit=limit,
    )
    widened = query.widened if query and explain else ()
    suggested = suggest_words(engine, query) if query and not found.hits else []
    if as_json:
        print_json(
            {
                "total": found.total,
                "more": found.more,
                "hits": [describe_hit(hit) for hit in found.hits],
                **({"widened": [asdict(one) for one in widened]} if explain else {}),
                **({"suggested": suggested} if suggested else {}),
            }
        )
        return
    if widened:
        out.print(widened_table(widened))
    if not found.hits:
        out.print("No stored item matches.", highlight=False)
        for one in suggested:
            out.print(
                f"Did you mean {' or '.join(one['near'])} for {one['word']}?", markup=False, highlight=False
            )
        return
    total = f"{found.total}+" if found.more else f"{found.total}"
    title = f"{total} found for {' '.join(words)}" if words else f"{total} found"
    out.print(items_table(found.hits, title, excerpt=True))


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
