"""The command `iprwatch`.

Exit codes: 0 all is well; 1 the command ran, and something it was asked about is not well (a source not heard, an
alert given up, a page read wrongly); 2 it could not run: wrong usage, configuration or database.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from cli_alerts import alerts_app
from cli_corrections import correct_command, corrections_command
from cli_crawl import crawl_command, run_command
from cli_database import db_app
from cli_export import export_command
from cli_inspect import inspect_app
from cli_items import show_command, tables_command
from cli_output import (
    DatabaseOption,
    JsonOption,
    err,
    out,
    pick_sources,
    print_json,
    read_configuration,
)
from cli_rules import rules_app
from cli_search import search_command, searches_app
from cli_serve import serve_command, tokens_app
from cli_sources import add_command, filtered_command, hosts_app, probe_command, sources_app
from cli_sql import sql_command
from cli_stats import stats_command
from cli_status import status_command
from cli_stories import stories_app, story_app
from cli_unread import inbox_command, set_aside_command, take_back_command, unread_command
from cli_withdrawals import withdrawals_app
from crawlers.archive import Archive
from errors import IprwatchError
from pipeline.store.session import first_line, open_engine
from streams import open_closed_streams

app = typer.Typer(
    name="iprwatch",
    help="Watch the sources where Chinese intellectual-property news is made.\n\n"
    "Exit codes: 0 all is well, 1 something asked about is not well, 2 wrong usage, configuration or database.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(sources_app, name="sources")
sources_app.command("unread")(unread_command)
sources_app.command("inbox")(inbox_command)
sources_app.command("set-aside")(set_aside_command)
sources_app.command("take-back")(take_back_command)
app.command("crawl")(crawl_command)
app.command("run")(run_command)
app.command("status")(status_command)
app.command("probe")(probe_command)
app.command("add")(add_command)
app.command("filtered")(filtered_command)
app.add_typer(hosts_app, name="hosts")
app.add_typer(inspect_app, name="inspect")
app.command("search")(search_command)
app.add_typer(searches_app, name="searches")
app.command("export")(export_command)
app.command("stats")(stats_command)
app.command("sql")(sql_command)
app.command("show")(show_command)
app.command("tables")(tables_command)
app.add_typer(rules_app, name="rules")
app.add_typer(stories_app, name="stories")
app.add_typer(story_app, name="story")
app.add_typer(withdrawals_app, name="withdrawals")
app.add_typer(db_app, name="db")
app.command("serve")(serve_command)
app.add_typer(tokens_app, name="tokens")
app.command("correct")(correct_command)
app.command("corrections")(corrections_command)
app.add_typer(alerts_app, name="alerts")


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Configuration file; else $IPRWATCH_CONFIG, else iprwatch.toml in this folder."
        ),
    ] = None,
) -> None:
    """Remember which configuration is meant; it is read when a command needs it."""
    context.obj = config


@app.command("reparse")
def reparse_command(
    context: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Only the items of this source.")] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the archived pages again, after a reader was mended. Corrects records; no versions, no alerts."""
    from crawlers.reparse import reparse_items  # Scrapy

    configuration = read_configuration(context, database=db)
    if source:
        pick_sources(configuration, [source])
    engine = open_engine(configuration.database_url, create=False)
    counts = {"same": 0, "corrected": 0, "failed": 0}
    failures = []
    for item in reparse_items(engine, Archive(configuration.archive), source_key=source):
        counts[item.outcome] += 1
        if item.outcome == "failed":
            failures.append({"uid": item.uid, "url": item.url, "reason": item.reason})
    if as_json:
        print_json({**counts, "failures": failures})
    else:
        for failure in failures:
            err.print(f"{failure['url']}: {failure['reason']}", markup=False, highlight=False)
        out.print(f"{counts['same']} as before, {counts['corrected']} corrected, {counts['failed']} failed.")
    if failures:
        raise typer.Exit(1)


def main() -> None:
    """The entry point: one clear sentence for everything that iprwatch refuses."""
    # A log that can't be written (a full disk) must not spill tracebacks over the summary.
    logging.raiseExceptions = False
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of another encoding (GBK) shows the number of a character that it lacks, and all the rest.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except IprwatchError as error:
        err.print(f"iprwatch: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except DBAPIError as error:
        err.print(
            f"iprwatch: the database failed: {first_line(error)}.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
            raise
        # What is left of the output would be tried again at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            sys.exit(1)
        err.print(
            f"iprwatch: not all could be written: {error.strerror}. Make room, then ask again.",
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
