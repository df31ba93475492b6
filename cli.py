"""The command `iprwatch`.

Exit codes: 0 all is well; 1 the command ran, and something it was asked about is not well (a source not heard, an
alert given up, a page read wrongly); 2 it could not run: wrong usage, configuration or database.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from cli_corrections import correct_command, corrections_command
from cli_inspect import inspect_app
from cli_items import search_command, show_command, tables_command
from cli_output import (
    CrawlProgress,
    DatabaseOption,
    JsonOption,
    describe_crawl,
    describe_report,
    err,
    out,
    pick_sources,
    print_crawl,
    print_json,
    print_report,
    read_configuration,
    tell_waiting,
)
from cli_sources import add_command, filtered_command, hosts_app, probe_command, sources_app
from crawlers.archive import Archive
from errors import ConfigurationError, IprwatchError
from pipeline.alerts.outbox import Report, deliver
from pipeline.store.session import first_line, open_engine
from query.deliveries import list_deliveries
from query.search import search_items

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
app.command("probe")(probe_command)
app.command("add")(add_command)
app.command("filtered")(filtered_command)
app.add_typer(hosts_app, name="hosts")
app.add_typer(inspect_app, name="inspect")
app.command("search")(search_command)
app.command("show")(show_command)
app.command("tables")(tables_command)
app.command("correct")(correct_command)
app.command("corrections")(corrections_command)
alerts_app = typer.Typer(help="What was sent, what is due, and sending it.", no_args_is_help=True)
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


@app.command("crawl")
def crawl_command(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Keys of sources; all when none is given.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Take the pages from this recorded web instead of the network."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", formats=["%Y-%m-%d"], help="Read lists back to this day; take nothing older."
        ),
    ] = None,
    alert_baseline: Annotated[
        bool,
        typer.Option("--alert-baseline", help="Alert also for what a source shows when it is first read."),
    ] = False,
    no_send: Annotated[
        bool, typer.Option("--no-send", help="Leave the alerts in the outbox; send them later.")
    ] = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Crawl sources, store what is new, send the alerts, and say what became of each source.

    Exit code 0 when every source was heard in full, 1 when one was not. In a replay, a page that was not
    recorded is no fault.
    """
    from crawlers.crawl import crawl  # Scrapy; the other commands needn't wait for it

    configuration = read_configuration(context, database=db)
    wanted = pick_sources(configuration, sources or [])
    channels = {} if no_send else configuration.build_channels()
    if replay is not None and not replay.is_dir():
        raise ConfigurationError(f"{replay}: there is no such folder of recorded pages.")
    with CrawlProgress(enabled=not as_json) as progress:
        outcomes = crawl(
            configuration,
            wanted,
            replay=replay,
            since=since.date() if since else None,
            alert_baseline=alert_baseline,
            progress=progress.show,
            tell_waiting=tell_waiting,
        )
    engine = open_engine(configuration.database_url)
    run_ids = [outcome.run_id for outcome in outcomes if outcome.run_id is not None]
    new = search_items(engine, [], run_ids=run_ids, limit=10_000)
    report = Report() if no_send else deliver(engine, channels)
    engine.dispose()
    if as_json:
        print_json(describe_crawl(outcomes, new, report, configuration))
    else:
        print_crawl(outcomes, new, report, configuration)
    well = {"ok", "not recorded"} if replay is not None else {"ok"}
    if any(outcome.state not in well for outcome in outcomes) or report.failed:
        raise typer.Exit(1)


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


@alerts_app.command("send")
def alerts_send(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Send every alert that is due now. Exit code 1 when one was given up."""
    configuration = read_configuration(context, database=db)
    report = deliver(open_engine(configuration.database_url, create=False), configuration.build_channels())
    if as_json:
        print_json(describe_report(report))
    else:
        print_report(report)
    if report.failed:
        raise typer.Exit(1)


@alerts_app.command("list")
def alerts_list(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The newest rows of the ledger: rule, item, channel, recipient, and what became of each."""
    configuration = read_configuration(context, database=db)
    rows = list_deliveries(open_engine(configuration.database_url, create=False), limit=limit)
    if as_json:
        print_json(rows)
        return
    table = Table("Created", "State", "Rule", "Item", "Channel", "To", "Detail")
    for row in rows:
        table.add_row(
            *(
                escape(str(row[key] or ""))
                for key in ("created_at", "state", "rule", "title", "channel", "recipient", "detail")
            )
        )
    out.print(table)


def main() -> None:
    """The entry point: one clear sentence for everything that iprwatch refuses."""
    # A log that can't be written (a full disk) must not spill tracebacks over the summary.
    logging.raiseExceptions = False
    try:
        app()
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


if __name__ == "__main__":
    main()
