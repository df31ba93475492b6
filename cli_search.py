"""The commands that find items, and that keep searches by a name."""

from __future__ import annotations

import json
import webbrowser
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

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
from cli_output import (
    DatabaseOption,
    JsonOption,
    err,
    items_table,
    out,
    print_json,
    read_configuration,
    widened_table,
)
from configuration import Configuration
from errors import ConfigurationError
from pipeline.store.saved_searches import delete_search, list_searches, read_search, save_search
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.fact_filters import CURRENCY
from query.orders import ORDERS
from query.saved import write_expression
from query.search import Found, Hit, describe_hit, search_items
from query.suggestions import suggest_words

searches_app = typer.Typer(help="Searches that were saved by a name.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name by which the search was saved.")]


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
    order: Annotated[
        str,
        typer.Option("--order", help=f"What comes first: {', '.join(ORDERS)} (one row a story)."),
    ] = "newest",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many.")] = 20,
    withdrawn: WithdrawnFilter = False,
    saved: SavedFilter = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Keep the search by this name: see iprwatch searches."),
    ] = None,
    open_number: Annotated[
        int | None,
        typer.Option("--open", metavar="N", min=1, help="Open the page of the Nth item shown in a browser."),
    ] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find stored items. Of one repeated filter one value is enough; all filters must be met."""
    configuration = read_configuration(context, database=db)
    asked = read_filter(configuration, context.params)
    query = asked["query"]
    engine = open_engine(configuration.database_url, create=False)
    found = search_items(engine, **asked, order=order, limit=limit)
    if save is not None:
        expression = write_expression(**asked)
        save_search(engine, save, expression, now=datetime.now(UTC))
        err.print(f"Saved as {save}: {expression}", markup=False, highlight=False, soft_wrap=True)
    suggested = suggest_words(engine, query) if query and not found.hits else []
    if as_json:
        print_json(
            {
                "total": found.total,
                "more": found.more,
                "hits": [describe_hit(hit) for hit in found.hits],
                **({"widened": [asdict(one) for one in query.widened] if query else []} if explain else {}),
                **({"suggested": suggested} if suggested else {}),
            }
        )
    else:
        if explain and query:
            out.print(widened_table(query.widened))
        asked_for = " ".join([*(words or ()), *([saved] if saved else ())])
        _show_found(found, asked_for, suggested, by_story=order == "story")
    if open_number is not None:
        open_page(found.hits, open_number)


def _show_found(found: Found, asked_for: str, suggested: list[dict[str, Any]], *, by_story: bool) -> None:
    if not found.hits:
        out.print("No stored item matches.", highlight=False)
        for one in suggested:
            out.print(
                f"Did you mean {' or '.join(one['near'])} for {one['word']}?", markup=False, highlight=False
            )
        return
    stories = (" story" if found.total == 1 else " stories") if by_story else ""
    total = f"{found.total}+" if found.more else f"{found.total}"
    title = f"{total}{stories} found" + (f" for {asked_for}" if asked_for else "")
    out.print(items_table(found.hits, title, excerpt=True))


def open_page(hits: list[Hit], number: int) -> None:
    """Open the page of one of the hits, counted from 1. Raises QueryError where that can't be done."""
    if number > len(hits):
        shown = "1 item is" if len(hits) == 1 else f"{len(hits)} items are"
        raise QueryError(f"--open {number}: only {shown} shown.")
    url = hits[number - 1].url
    if not url.startswith(("http://", "https://")):
        raise QueryError(f"--open {number}: {url} is no address of a web page.")
    if not webbrowser.open(url):
        raise QueryError(f"--open {number}: no browser could be started; the page is {url}")


@searches_app.command("list")
def searches_list(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the saved searches: name, expression, when saved."""
    configuration = read_configuration(context, database=db)
    searches = list_searches(open_engine(configuration.database_url, create=False))
    if as_json:
        print_json(searches)
        return
    table = Table(
        Column("Name", overflow="fold"), Column("Asks for", overflow="fold"), "Saved",
        title="1 saved search" if len(searches) == 1 else f"{len(searches)} saved searches",
    )  # fmt: skip
    for search in searches:
        table.add_row(escape(search["name"]), escape(search["expression"]), search["saved_at"][:10])
    out.print(table)


@searches_app.command("show")
def searches_show(
    context: typer.Context,
    name: NameArgument,
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule", metavar="CHANNEL", help="Print it as a rule for iprwatch.toml that tells this channel."
        ),
    ] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the expression of a saved search, or a rule that asks for the same."""
    configuration = read_configuration(context, database=db)
    search = read_search(open_engine(configuration.database_url, create=False), name)
    if rule is not None:
        typer.echo(_write_rule(configuration, search, rule))
    elif as_json:
        print_json(search)
    else:
        typer.echo(search["expression"])


@searches_app.command("delete")
def searches_delete(context: typer.Context, name: NameArgument, db: DatabaseOption = None) -> None:
    """Forget a saved search. Rules that were made of it stay."""
    configuration = read_configuration(context, database=db)
    delete_search(open_engine(configuration.database_url, create=False), name)
    out.print(f"Deleted: {name}.", markup=False, highlight=False)


def _write_rule(configuration: Configuration, search: dict[str, Any], channel: str) -> str:
    if channel not in configuration.channels:
        known = ", ".join(sorted(configuration.channels)) or "none"
        raise ConfigurationError(f"--rule: no channel is called {channel!r}; there are {known}.")
    name, query, told = (_toml(text) for text in (search["name"], search["expression"], channel))
    return f"[[rules]]\nname = {name}\nquery = {query}\nsend = [{{ channel = {told} }}]"


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
