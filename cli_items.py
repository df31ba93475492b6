"""The commands that find items, show one in full, and show the data tables behind its facts."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_corrections import corrections_table
from cli_output import (
    DatabaseOption,
    JsonOption,
    describe_hit,
    items_table,
    out,
    pick_sources,
    print_json,
    read_configuration,
    widened_table,
)
from cli_stories import story_tables
from pipeline.expression import read_words
from pipeline.expression.conditions import named_sources
from pipeline.legal.asked import AskedError, read_asked_amount
from pipeline.legal.tables import read_table, table_names
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.fact_filters import CURRENCY, FactFilter
from query.item import describe_item
from query.search import search_items
from query.suggestions import suggest_words

_LONG = 400


def search_command(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Words in Chinese or English, or an expression: docs/query-language.md."),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Published on this day or later.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Published on this day or earlier."),
    ] = None,
    case_no: Annotated[
        list[str] | None,
        typer.Option("--case-no", help="With this case number, in any written form; may be repeated."),
    ] = None,
    court: Annotated[
        list[str] | None,
        typer.Option("--court", help="Naming this court, or with a case number of it; may be repeated."),
    ] = None,
    amount_min: Annotated[
        str | None,
        typer.Option("--amount-min", metavar="SUM", help="With a sum of at least 350000, or 35万."),
    ] = None,
    amount_max: Annotated[
        str | None, typer.Option("--amount-max", metavar="SUM", help="With a sum of at most so much.")
    ] = None,
    currency: Annotated[
        str, typer.Option("--currency", help="The currency of these sums, ISO 4217.")
    ] = CURRENCY,
    ip_type: Annotated[
        list[str] | None,
        typer.Option("--ip-type", help="About this kind of right, such as trademark; may be repeated."),
    ] = None,
    statute: Annotated[
        list[str] | None,
        typer.Option(
            "--statute", help="Citing this law, such as 专利法 or 专利法第六十五条; may be repeated."
        ),
    ] = None,
    party: Annotated[
        list[str] | None,
        typer.Option("--party", help="With a party whose name holds this; may be repeated."),
    ] = None,
    doc_no: Annotated[
        list[str] | None,
        typer.Option("--doc-no", help="With this document number, such as 法释〔2021〕4号; may be repeated."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="This kind of notice, such as case or law_or_policy; may be repeated."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what the words are widened to and how fields are read.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many, newest first.")
    ] = 20,
    withdrawn: Annotated[
        bool, typer.Option("--withdrawn", help="Only items whose page is gone from its site.")
    ] = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find stored items, newest first. Of one repeated filter one value is enough; all filters must be met."""
    configuration = read_configuration(context, database=db)
    query = read_words(words or [])
    named = sorted(named_sources(query.condition)) if query else []
    if source or named:
        pick_sources(configuration, [*(source or ()), *named])
    try:
        least, most = (
            read_asked_amount(bound) if bound is not None else None for bound in (amount_min, amount_max)
        )
    except AskedError as error:
        raise QueryError(str(error)) from None
    engine = open_engine(configuration.database_url, create=False)
    found = search_items(
        engine,
        query,
        sources=source or (),
        since=since.date() if since else None,
        until=until.date() if until else None,
        facts=FactFilter(
            case_numbers=case_no or (),
            courts=court or (),
            ip_types=ip_type or (),
            statutes=statute or (),
            parties=party or (),
            documents=doc_no or (),
            kinds=kind or (),
            amount_min=least,
            amount_max=most,
            currency=currency,
        ),
        withdrawn=withdrawn,
        limit=limit,
    )
    widened = query.widened if query and explain else ()
    suggested = suggest_words(engine, query) if query and not found.hits else []
    if as_json:
        print_json(
            {
                "total": found.total,
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
    title = f"{found.total} found for {' '.join(words)}" if words else f"{found.total} found"
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
            ("kind", "detail", "seen_until", "gone_at", "confirmed_at", "returned_at", "snapshot_sha256"),
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
