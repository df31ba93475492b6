"""The commands about articles that could not be read: which they are, which of them a person sets aside, and what
became of those that people handed in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import SHANGHAI, DatabaseOption, JsonOption, out, print_json, read_configuration
from crawlers.inbox_links import list_handed
from pipeline.store.session import open_engine
from pipeline.store.unread import Unread, read_unread, set_aside, take_back

UrlArgument = Annotated[str, typer.Argument(help="The article's address.")]


def unread_command(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Articles that were listed and could not be read: since when, how often they were tried, and why."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    articles = read_unread(engine)
    engine.dispose()
    if as_json:
        print_json([{"source": article.source_key, **describe_unread(article)} for article in articles])
        return
    table = Table(
        "Source", "Since", "Tries", Column("Article", overflow="fold"), Column("Why", overflow="fold"),
        title=f"{'1 article' if len(articles) == 1 else f'{len(articles)} articles'} could not be read",
    )  # fmt: skip
    for article in articles:
        reason = f"\nSet aside: {article.set_aside_reason}" if article.is_set_aside else ""
        table.add_row(
            article.source_key,
            f"{article.since.astimezone(SHANGHAI):%Y-%m-%d}",
            str(article.tries),
            escape(f"{article.title}\n{article.url}".strip()),
            escape(f"{article.why}{reason}"),
        )
    out.print(table)


def set_aside_command(
    context: typer.Context,
    url: UrlArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown in every summary.")],
    db: DatabaseOption = None,
) -> None:
    """Decide that an article that can't be read need not be: it is asked for no more, and no fault of its source."""
    configuration = read_configuration(context, database=db)
    engine = configuration.open_store()
    for article in set_aside(engine, url, reason, datetime.now(UTC)):
        _say(f"Set aside: {article.url} of {article.source_key}, because: {article.set_aside_reason}")
    engine.dispose()


def take_back_command(context: typer.Context, url: UrlArgument, db: DatabaseOption = None) -> None:
    """End what set-aside did: the next crawl of the source asks for the article again."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    for article in take_back(engine, url):
        _say(f"Taken back: {article.url} of {article.source_key}.")
    engine.dispose()


def inbox_command(
    context: typer.Context,
    stored: Annotated[bool, typer.Option("--stored", help="Also those whose article is stored.")] = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Links that were handed in and what became of them: waiting, gone, or failed with the reason."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    links = list_handed(engine, stored=stored)
    engine.dispose()
    if as_json:
        print_json([{**asdict(link), "added_at": link.added_at.isoformat()} for link in links])
        return
    table = Table(
        "Handed in", "State", "By", Column("Link", overflow="fold"), Column("Why", overflow="fold"),
        title=f"{'1 link' if len(links) == 1 else f'{len(links)} links'} of the inbox",
    )  # fmt: skip
    for link in links:
        table.add_row(
            f"{link.added_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            link.state,
            escape(link.origin),
            escape(link.url),
            escape(link.detail or ""),
        )
    out.print(table)


def describe_unread(article: Unread) -> dict[str, Any]:
    """As JSON."""
    moment = article.set_aside_at
    return {
        "url": article.url,
        "title": article.title,
        "since": article.since.isoformat(),
        "tried_at": article.tried_at.isoformat(),
        "tries": article.tries,
        "ending": article.ending,
        "why": article.why,
        "set_aside_at": moment.isoformat() if moment else None,
        "set_aside_reason": article.set_aside_reason,
    }


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
