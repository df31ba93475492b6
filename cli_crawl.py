"""The commands that crawl: once, or at the times of the sources."""

from __future__ import annotations

import faulthandler
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from cli_output import (
    CrawlProgress,
    DatabaseOption,
    JsonOption,
    describe_crawl,
    pick_sources,
    print_crawl,
    print_due,
    print_json,
    read_configuration,
    tell_failed,
    tell_waiting,
)
from configuration import Configuration
from crawl_process import STOP_WITHIN
from crawlers.source import Source
from crawlers.timetable import due_sources
from errors import ConfigurationError
from pipeline.alerts.channels import Channel
from pipeline.alerts.outbox import Report, deliver
from pipeline.health.status import SourceStatus
from pipeline.store.session import Accepted
from pipeline.store.source_set import check_sources
from query.search import search_items

AcceptEmptyOption = Annotated[
    bool,
    typer.Option("--accept-empty-store", help="Start with an empty store although backups of it exist."),
]
AcceptFewerOption = Annotated[
    bool,
    typer.Option("--accept-fewer-sources", help="Start although more than a fifth of the sources is gone."),
]
AcceptNoBackupOption = Annotated[
    bool,
    typer.Option("--accept-no-backup", help="Migrate the store even where no backup of it can be made."),
]


def crawl_command(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Keys of sources; all when none is given.")
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only those of them that are due by their crontab (for cron).")
    ] = False,
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
    accept_empty_store: AcceptEmptyOption = False,
    accept_fewer_sources: AcceptFewerOption = False,
    accept_no_backup: AcceptNoBackupOption = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Crawl sources, store what is new, send the alerts, and say what became of each source.

    Exit code 0 when every source was heard in full, 1 when one was not. In a replay, a page that was not
    recorded is no fault. With --due, what counts is the verdict on each source, and a muted one is no fault.
    """
    from crawlers.crawl import crawl  # Scrapy; the other commands needn't wait for it
    from crawlers.pipeline_server import forked_server

    configuration = read_configuration(context, database=db)
    wanted = pick_sources(configuration, sources or [])
    channels = {} if no_send else configuration.build_channels()
    if replay is not None and not replay.is_dir():
        raise ConfigurationError(f"{replay}: there is no such folder of recorded pages.")
    if due and since:
        raise ConfigurationError("--due and --since don't go together: what is due is read from the top.")
    accepted = Accepted(empty_store=accept_empty_store, no_backup=accept_no_backup)
    with forked_server() as server:
        if due:
            wanted = _pick_due(configuration, wanted, accepted, accept_fewer_sources)
        with CrawlProgress(enabled=not as_json) as progress:
            outcomes = crawl(
                configuration,
                wanted,
                replay=replay,
                since=since.date() if since else None,
                alert_baseline=alert_baseline,
                progress=progress.show,
                tell_waiting=tell_waiting,
                only_due=due,
                time_limit=configuration.time_limit if due else None,
                accepted=accepted,
                server=server,
            )
    engine = configuration.open_store()
    run_ids = [outcome.run_id for outcome in outcomes if outcome.run_id is not None]
    new = search_items(engine, run_ids=run_ids, limit=10_000)
    if due and not no_send:
        from crawlers.verdicts import report_day

        report_day(configuration, engine, datetime.now(UTC))
    report = Report() if no_send else _deliver(configuration, engine, channels)
    if due and not no_send and configuration.dead_mans_switch:
        # The summary has gone out just now: the switch needn't wait for the next crawl.
        report_day(configuration, engine, datetime.now(UTC))
        report.extend(_deliver(configuration, engine, channels))
    statuses = _read_due(configuration, engine, wanted) if due else []
    if as_json:
        print_json(describe_crawl(outcomes, new, report, configuration))
    elif due:
        print_due(statuses, outcomes, new, report)
    else:
        print_crawl(outcomes, new, report, configuration)
    tell_failed(outcomes)
    if due and not no_send:
        from crawlers.verdicts import publish_metrics

        # Last: a file that can't be written keeps nobody from being told.
        publish_metrics(configuration, engine, datetime.now(UTC))
    engine.dispose()
    well = {"ok", "not recorded"} if replay is not None else {"ok"}
    if due:
        # A crawl that failed may have left no run, and the source the verdict of an earlier one.
        muted = {status.key for status in statuses if status.mute is not None}
        failed = any(outcome.state == "failed" and outcome.source.key not in muted for outcome in outcomes)
        busy = any(outcome.state == "busy" for outcome in outcomes)
        is_well = not failed and not busy and all(status.is_green for status in statuses)
    else:
        is_well = all(outcome.state in well for outcome in outcomes)
    if not is_well or report.failed:
        raise typer.Exit(1)


def _deliver(configuration: Configuration, engine: Engine, channels: Mapping[str, Channel]) -> Report:
    return deliver(engine, channels, rules=configuration.all_rules(), operators=configuration.operators)


def _read_due(configuration: Configuration, engine: Engine, wanted: list[Source]) -> list[SourceStatus]:
    """How those stand that were due, whoever crawled them in the end; those never judged say nothing."""
    from crawlers.verdicts import pick_statuses, read_statuses

    statuses = read_statuses(configuration, engine, datetime.now(UTC))
    picked = pick_statuses(statuses, (source.key for source in wanted))
    return [status for status in picked if status.verdict is not None]


def _pick_due(
    configuration: Configuration, wanted: list[Source], accepted: Accepted, accept_fewer: bool
) -> list[Source]:
    """What is due of these, for a crawl that nobody watches: one that hangs is ended, with a traceback."""
    engine = configuration.open_store(accepted)
    try:
        check_sources(engine, configuration.load_sources(), accept_fewer=accept_fewer)
        due = due_sources(engine, wanted, datetime.now(UTC))
    finally:
        engine.dispose()
    if due:
        faulthandler.dump_traceback_later(configuration.time_limit + 2 * STOP_WITHIN, exit=True)
    return due


def run_command(
    context: typer.Context,
    accept_empty_store: AcceptEmptyOption = False,
    accept_fewer_sources: AcceptFewerOption = False,
    accept_no_backup: AcceptNoBackupOption = False,
) -> None:
    """Crawl each source at its times and send alerts, in the foreground, until Ctrl-C or SIGTERM."""
    import scheduler  # APScheduler with all its parts

    scheduler.set_up_log()
    scheduler.run(
        read_configuration(context),
        Accepted(empty_store=accept_empty_store, no_backup=accept_no_backup),
        accept_fewer=accept_fewer_sources,
    )
