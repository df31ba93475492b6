"""The command `iprwatch`.

Exit codes: 0 all is well; 1 the command ran, and something it was asked about is not well (a source not heard, an
alert given up, a page read wrongly); 2 it could not run: wrong usage, configuration or database.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from cli_inspect import inspect_app
from configuration import Configuration, load_configuration
from crawlers.archive import Archive
from crawlers.crawl import Outcome, crawl
from crawlers.reparse import reparse_items
from crawlers.runs import Watch
from crawlers.source import Source
from errors import ConfigurationError, IprwatchError
from pipeline.alerts.outbox import Report, Sent, deliver
from pipeline.store.session import first_line, open_engine
from query.deliveries import list_deliveries
from query.search import Found, Hit, search_items

app = typer.Typer(
    name="iprwatch",
    help="Watch the sources where Chinese intellectual-property news is made.\n\n"
    "Exit codes: 0 all is well, 1 something asked about is not well, 2 wrong usage, configuration or database.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(inspect_app, name="inspect")
alerts_app = typer.Typer(help="What was sent, what is due, and sending it.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts")

# Where there is no terminal (cron, a log), nothing tells a width; 80 columns would cut Chinese titles.
out = Console(width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="Database URL, over the configured one: sqlite:///FILE or postgresql://HOST/NAME.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of tables.")]


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


def _configuration(context: typer.Context, **overrides: object) -> Configuration:
    return load_configuration(context.obj, **overrides)


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
    configuration = _configuration(context, database=db)
    wanted = _pick_sources(configuration, sources or [])
    channels = {} if no_send else configuration.build_channels()
    if replay is not None and not replay.is_dir():
        raise ConfigurationError(f"{replay}: there is no such folder of recorded pages.")
    with _CrawlProgress(enabled=not as_json) as progress:
        outcomes = crawl(
            configuration,
            wanted,
            replay=replay,
            since=since.date() if since else None,
            alert_baseline=alert_baseline,
            progress=progress.show,
        )
    engine = open_engine(configuration.database_url)
    run_ids = [outcome.run_id for outcome in outcomes if outcome.run_id is not None]
    new = search_items(engine, [], run_ids=run_ids, limit=10_000)
    report = Report() if no_send else deliver(engine, channels)
    engine.dispose()
    if as_json:
        _print_json(_describe_crawl(outcomes, new, report, configuration))
    else:
        _print_crawl(outcomes, new, report, configuration)
    well = {"ok", "not recorded"} if replay is not None else {"ok"}
    if any(outcome.state not in well for outcome in outcomes) or report.failed:
        raise typer.Exit(1)


@app.command("sources")
def sources_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List what is watched."""
    sources = _configuration(context).load_sources().values()
    if as_json:
        _print_json([source.model_dump() for source in sources])
        return
    table = Table("Key", "Source", "Publisher", "When (Asia/Shanghai)", "Reader", "Proven", title="Sources")
    for source in sources:
        table.add_row(
            source.key,
            f"{escape(source.name_zh)}\n{escape(source.name_en)}",
            escape(source.publisher_zh),
            source.crontab,
            source.reader,
            "yes" if source.proven else "unproven",
        )
    out.print(table)
    out.print(
        "Unproven: read only from descriptions so far; its reader refuses a page that differs.", style="dim"
    )


@app.command("search")
def search_command(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(help="Words in Chinese or English; all must occur. Quote a phrase.")
    ],
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
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many, newest first.")
    ] = 20,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find stored items, newest first."""
    configuration = _configuration(context, database=db)
    if source:
        _pick_sources(configuration, source)
    found = search_items(
        open_engine(configuration.database_url, create=False),
        words,
        sources=source or (),
        since=since.date() if since else None,
        until=until.date() if until else None,
        limit=limit,
    )
    if as_json:
        _print_json({"total": found.total, "hits": [_describe_hit(hit) for hit in found.hits]})
        return
    out.print(_items_table(found.hits, f"{found.total} found for {' '.join(words)}", excerpt=True))


@app.command("reparse")
def reparse_command(
    context: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Only the items of this source.")] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the archived pages again, after a reader was mended. Corrects records; no versions, no alerts."""
    configuration = _configuration(context, database=db)
    if source:
        _pick_sources(configuration, [source])
    engine = open_engine(configuration.database_url, create=False)
    counts = {"same": 0, "corrected": 0, "failed": 0}
    failures = []
    for item in reparse_items(engine, Archive(configuration.archive), source_key=source):
        counts[item.outcome] += 1
        if item.outcome == "failed":
            failures.append({"uid": item.uid, "url": item.url, "reason": item.reason})
    if as_json:
        _print_json({**counts, "failures": failures})
    else:
        for failure in failures:
            err.print(f"{failure['url']}: {failure['reason']}", markup=False, highlight=False)
        out.print(f"{counts['same']} as before, {counts['corrected']} corrected, {counts['failed']} failed.")
    if failures:
        raise typer.Exit(1)


@alerts_app.command("send")
def alerts_send(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Send every alert that is due now. Exit code 1 when one was given up."""
    configuration = _configuration(context, database=db)
    report = deliver(open_engine(configuration.database_url, create=False), configuration.build_channels())
    if as_json:
        _print_json(_describe_report(report))
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(1)


@alerts_app.command("list")
def alerts_list(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The newest rows of the ledger: rule, item, channel, recipient, and what became of each."""
    configuration = _configuration(context, database=db)
    rows = list_deliveries(open_engine(configuration.database_url, create=False), limit=limit)
    if as_json:
        _print_json(rows)
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


def _pick_sources(configuration: Configuration, keys: Iterable[str]) -> list[Source]:
    known = configuration.load_sources()
    wanted = list(dict.fromkeys(keys)) or list(known)
    if not wanted:
        raise ConfigurationError("No source is configured: allow the built-in ones or name source_files.")
    for key in wanted:
        if key not in known:
            raise ConfigurationError(f"No source is called {key!r}; `iprwatch sources` lists them.")
    return [known[key] for key in wanted]


class _CrawlProgress:
    """A bar of articles done of articles asked; one plain line a source where there is no terminal."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._told: set[str] = set()
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            console=err, disable=not enabled or not err.is_terminal, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("Reading lists", total=None)

    def __enter__(self) -> _CrawlProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, watches: Iterable[Watch]) -> None:
        """Called by the crawl whenever something has happened."""
        asked = done = 0
        for watch in watches:
            asked += watch.counts["asked"]
            done += sum(
                watch.counts[name] for name in ("new", "edited", "known", "gone", "not recorded", "error")
            )
            if self._enabled and watch.heard and watch.source.key not in self._told:
                self._told.add(watch.source.key)
                err.print(
                    f"  list read: {watch.source.name_zh} "
                    f"({watch.counts['links']} links, {watch.counts['asked']} to fetch)",
                    highlight=False,
                )
        self._bar.update(self._task, description="Fetching articles", total=asked or None, completed=done)


def _print_crawl(outcomes: list[Outcome], new: Found, report: Report, configuration: Configuration) -> None:
    if new.hits:
        out.print(_items_table(new.hits, f"{new.total} new items", excerpt=False))
    _print_report(report)
    table = Table("Source", "State", Column("What was found", overflow="fold"), title="Sources")
    for outcome in outcomes:
        style = {"ok": "green", "not recorded": "dim"}.get(outcome.state, "bold red")
        found = _shown_counts(outcome.counts)
        if outcome.reason and outcome.state != "not recorded":
            found = f"{found}\n{outcome.reason}" if found else outcome.reason
        table.add_row(outcome.source.key, f"[{style}]{outcome.state}[/]", escape(found))
    out.print(table)
    if not new.hits:
        out.print("Nothing new." if report.sent else "Nothing new, no alert.")
    heard = [outcome for outcome in outcomes if outcome.counts.get("list_pages")]
    silent = [f"{outcome.source.key} ({outcome.state})" for outcome in outcomes if outcome not in heard]
    line = f"Heard: {len(heard)} of {len(outcomes)} sources."
    out.print(line + (f" Not heard: {', '.join(silent)}." if silent else ""), highlight=False)
    out.print(f"Database: {_shown_database(configuration)}", highlight=False, soft_wrap=True)


def _shown_counts(counts: dict[str, int]) -> str:
    names = (
        "known links", "older", "new", "edited", "known", "gone", "not recorded",
        "blocked", "changed", "down", "robots", "error",
    )  # fmt: skip
    shown = ", ".join(f"{counts[name]} {name}" for name in names if counts.get(name))
    return f"{counts['links']} links: {shown}" if counts.get("links") else ""


def _print_report(report: Report) -> None:
    if report.sent:
        told: dict[tuple[str, str], list[Sent]] = {}
        for sent in report.sent:
            told.setdefault((sent.message.rule, sent.message.title), []).append(sent)
        table = Table(
            "Rule", Column("Item", overflow="fold"), "Told", title=f"{len(report.sent)} alerts sent"
        )
        for (rule, title), group in told.items():
            recipients = ", ".join(f"{sent.channel} {sent.recipient}".strip() for sent in group)
            table.add_row(escape(rule), escape(title), escape(recipients))
        out.print(table)
    for group, word in ((report.waiting, "to be retried"), (report.failed, "given up")):
        for sent in group:
            err.print(
                f"Alert {word}: {sent.message.title} by {sent.channel}: {sent.receipt.detail}", markup=False
            )


def _items_table(hits: list[Hit], title: str, *, excerpt: bool) -> Table:
    table = Table(
        "Published", *(Column(name, overflow="fold") for name in ("Source", "Title", "Recognised")),
        title=escape(title), show_lines=excerpt,
    )  # fmt: skip
    for hit in hits:
        cell = f"[bold]{escape(hit.title)}[/]" + (
            f"\n{escape(hit.excerpt)}\n[dim]{escape(hit.url)}[/]" if excerpt else ""
        )
        table.add_row(_shown_date(hit), escape(hit.publisher), cell, escape(_recognised(hit)))
    return table


def _recognised(hit: Hit) -> str:
    wanted = ("case_number", "document_number", "amount", "patent", "ip_type")
    shown = [raw for kind in wanted for raw in hit.facts.get(kind, ())[:2]]
    return ", ".join(shown)


def _shown_date(hit: Hit) -> str:
    if hit.published_at is not None:
        return f"{hit.published_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return hit.published_on.isoformat() if hit.published_on else "unknown"


def _shown_database(configuration: Configuration) -> str:
    url = make_url(configuration.database_url)
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database or "").resolve())
    return url.render_as_string(hide_password=True)


def _describe_crawl(
    outcomes: list[Outcome], new: Found, report: Report, configuration: Configuration
) -> dict[str, Any]:
    return {
        "sources": [
            {
                "key": outcome.source.key,
                "run_id": outcome.run_id,
                "state": outcome.state,
                "reason": outcome.reason,
                "counts": outcome.counts,
            }
            for outcome in outcomes
        ],
        "new": [_describe_hit(hit) for hit in new.hits],
        "alerts": _describe_report(report),
        "database": _shown_database(configuration),
    }


def _describe_report(report: Report) -> dict[str, Any]:
    def rows(group: list[Sent]) -> list[dict[str, Any]]:
        return [
            {
                "id": sent.message.id,
                "rule": sent.message.rule,
                "title": sent.message.title,
                "channel": sent.channel,
                "recipient": sent.recipient,
                "detail": sent.receipt.detail,
            }
            for sent in group
        ]

    return {"sent": rows(report.sent), "waiting": rows(report.waiting), "failed": rows(report.failed)}


def _describe_hit(hit: Hit) -> dict[str, Any]:
    return {
        "uid": hit.uid,
        "title": hit.title,
        "url": hit.url,
        "publisher": hit.publisher,
        "source": hit.source_key,
        "published_on": hit.published_on.isoformat() if hit.published_on else None,
        "published_at": hit.published_at.isoformat() if hit.published_at else None,
        "first_seen_at": hit.first_seen_at.isoformat(),
        "version": hit.version_number,
        "excerpt": hit.excerpt,
        "facts": hit.facts,
    }


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


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
