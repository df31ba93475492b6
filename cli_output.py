"""What the commands print, and the options that several of them share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from configuration import Configuration, load_configuration
from crawlers.lease_holder import show_holder
from crawlers.source import Source
from crawlers.wechat_session import describe_session
from errors import ConfigurationError
from pipeline.alerts.message import flatten
from pipeline.alerts.outbox import Report, Sent
from pipeline.expression import Widened
from pipeline.expression.conditions import Condition, named_sources, named_topics
from pipeline.health.status import SourceStatus
from pipeline.health.summary import write_summary
from pipeline.sentence import Place, parts_of
from pipeline.store import runs
from pipeline.store.lease import Held
from pipeline.store.rechecks import ENDINGS
from pipeline.store.session import read_url, show_url
from pipeline.store.withdrawals import KINDS
from query.conditions import check_topics
from query.search import Found, Hit, describe_hit

if TYPE_CHECKING:  # they come with Scrapy, which most commands don't need
    from crawlers.crawl import Outcome
    from crawlers.runs import Watch

# Where there is no terminal (cron, a log), nothing tells a width; 80 columns would cut Chinese titles.
out = Console(width=None if os.isatty(1) else 140)
err = Console(stderr=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")
_MOST_REPORTS = 5
_MOST_NEW = 20  # items that a mail lists

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="Database URL, over the configured one: sqlite:///FILE or postgresql://HOST/NAME.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of tables.")]


def read_configuration(context: typer.Context, **overrides: object) -> Configuration:
    return load_configuration(context.obj, **overrides)


def pick_sources(configuration: Configuration, keys: Iterable[str]) -> list[Source]:
    known = configuration.load_sources()
    wanted = list(dict.fromkeys(keys)) or list(known)
    if not wanted:
        raise ConfigurationError("No source is configured: allow the built-in ones or name source_files.")
    for key in wanted:
        if key not in known:
            raise ConfigurationError(f"No source is called {key!r}; `iprwatch sources` lists them.")
    return [known[key] for key in wanted]


def check_named(configuration: Configuration, condition: Condition) -> None:
    """Refuse a condition that names a source or topic that there isn't: it would find nothing, and not say why."""
    if keys := sorted(named_sources(condition)):
        pick_sources(configuration, keys)
    if named_topics(condition):
        topics = {topic for source in configuration.load_sources().values() for topic in source.topics}
        check_topics(condition, topics)


class CrawlProgress:
    """A bar of articles done, left, and done a minute; one plain line a source where there is no terminal."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._told: set[str] = set()
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"),
            console=err, disable=not enabled or not err.is_terminal, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("Reading lists", total=None, said="")

    def __enter__(self) -> CrawlProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, watches: Iterable[Watch]) -> None:
        """Called by the crawl whenever something has happened."""
        watches = list(watches)
        for watch in watches:
            if self._enabled and watch.heard and watch.source.key not in self._told:
                self._told.add(watch.source.key)
                err.print(
                    f"  list read: {watch.source.name_zh} "
                    f"({watch.counts['links']} links, {watch.counts['asked']} to fetch)",
                    highlight=False,
                )
        asked = sum(watch.counts["asked"] for watch in watches)
        done = sum(watch.counts[ending] for watch in watches for ending in runs.ENDINGS)
        pages = sum(watch.counts["list_pages"] for watch in watches)
        seconds = self._bar.tasks[0].elapsed or 0.0
        open_lists = any(watch.lists_open for watch in watches)
        self._bar.update(
            self._task,
            description=f"{pages} list {'page' if pages == 1 else 'pages'} read, fetching articles",
            total=asked or None,
            completed=done,
            said=say_progress(done, asked - done, seconds, more=open_lists),
        )


def say_progress(done: int, left: int, seconds: float, *, more: bool) -> str:
    """Articles done, left and done a minute; `more`: lists are still being read, so that more may be left."""
    rate = f", {done * 60 / seconds:.0f} a minute" if done and seconds else ""
    return f"{done} done, {left} left{' so far' if more else ''}{rate}"


def tell_waiting(held: Held) -> None:
    err.print(
        f"{held.host} is being crawled by {show_holder(held.holder)}; looking whether that still lives.",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def print_crawl(outcomes: list[Outcome], new: Found, report: Report, configuration: Configuration) -> None:
    if new.hits:
        total = f"{new.total}+" if new.more else f"{new.total}"
        out.print(
            items_table(new.hits, "1 new item" if total == "1" else f"{total} new items", excerpt=False)
        )
    print_report(report)
    table = Table("Source", "State", Column("What was found", overflow="fold"), title="Sources")
    for outcome in outcomes:
        if outcome.state == "not recorded":
            continue
        style = "green" if outcome.state == "ok" else "bold red"
        found = "\n".join(part for part in (shown_counts(outcome.counts), outcome.reason) if part)
        table.add_row(outcome.source.key, f"[{style}]{outcome.state}[/]", escape(found))
    out.print(table)
    if not new.hits:
        whole = all(outcome.state in ("ok", "not recorded") for outcome in outcomes)
        out.print(f"Nothing new{'' if whole else ' in what was read'}{'' if report.sent else ', no alert'}.")
    out.print(_say_who_was_heard(outcomes), highlight=False)
    if trusted := [outcome.source.key for outcome in outcomes if not outcome.source.verify_certificate]:
        out.print(f"Read without verifying the certificate: {', '.join(trusted)}.", highlight=False)
    if told := describe_session(configuration.wechat_session(), datetime.now(UTC)):
        out.print(told, highlight=False)
    out.print(f"Database: {_shown_database(configuration)}", highlight=False, soft_wrap=True)


def tell_failed(outcomes: list[Outcome]) -> None:
    """One sentence for what is wrong with iprwatch or its machine, such as a full disk, not with the sources."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        err.print(
            f"iprwatch: {len(failed)} of {len(outcomes)} sources failed, {failed[0].source.key} first: "
            f"{failed[0].reason}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip


def print_due(statuses: list[SourceStatus], outcomes: list[Outcome], new: Found, report: Report) -> None:
    """What a crawl of everything that was due says, as lines that fit a mail."""
    unwell = {status.key for status in statuses if not status.is_well}
    unheard = [
        f"{outcome.source.key}: {outcome.reason}"
        for outcome in outcomes
        if outcome.state == "busy" or (outcome.state == "failed" and outcome.source.key not in unwell)
    ]
    if not statuses and not unheard:
        out.print("Nothing is due.")
        return
    today = datetime.now(SHANGHAI).date()
    summary = write_summary(statuses, today)
    lines = [f"iprwatch {today}: {summary.title}.", *summary.lines, *unheard]
    lines += [
        f"New: {_shown_date(hit)} {hit.publisher}: {hit.title} {hit.url}" for hit in new.hits[:_MOST_NEW]
    ]
    if len(new.hits) > _MOST_NEW:
        lines.append(f"and {len(new.hits) - _MOST_NEW} more")
    if report.sent or report.waiting or report.failed:
        lines.append(
            f"Alerts: {len(report.sent)} sent, {len(report.waiting)} to be retried, {len(report.failed)} given up."
        )
    for line in lines:
        out.print(flatten(line), markup=False, highlight=False, soft_wrap=True)


def _say_who_was_heard(outcomes: list[Outcome]) -> str:
    heard = [outcome.source.key for outcome in outcomes if outcome.counts.get("list_pages")]
    silent: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.source.key not in heard:
            silent.setdefault(outcome.state, []).append(outcome.source.key)
    line = f"Heard: {len(heard)} of {len(outcomes)} sources."
    groups = "; ".join(f"{len(keys)} {state} ({', '.join(keys)})" for state, keys in silent.items())
    return f"{line} Not heard: {groups}." if groups else line


def shown_counts(counts: dict[str, int]) -> str:
    """What became of a source's links, in words; empty where there were none."""
    names = (
        "known links", "older", "new", "edited", "known", "filtered", "gone", "not recorded",
        "blocked", "changed", "down", "robots", "held", "error",
    )  # fmt: skip
    shown = ", ".join(
        f"{counts[name]} {name.removesuffix('s') if counts[name] == 1 and name.endswith('links') else name}"
        for name in names
        if counts.get(name)
    )
    links, rechecks = counts.get("links", 0), counts.get("rechecks", 0)
    parts = [f"{links} {'link' if links == 1 else 'links'}: {shown}"] if links else []
    if rechecks:
        endings = ", ".join(
            f"{counts[f'recheck {name}']} {name}" for name in ENDINGS if counts.get(f"recheck {name}")
        )
        parts.append(f"{rechecks} {'recheck' if rechecks == 1 else 'rechecks'}: {endings}")
    if counts.get("withdrawn"):
        together = ", many at once" if counts.get("withdrawn at once") else ""
        parts.append(f"{counts['withdrawn']} withdrawn{together}")
    parts += [
        f"{counts[name]} {name}"
        for name in ("inserted later", "numbers missing", "numbers arrived")
        if counts.get(name)
    ]
    return "; ".join(parts)


def print_report(report: Report) -> None:
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


def items_table(hits: list[Hit], title: str, *, excerpt: bool) -> Table:
    table = Table(
        *([Column("#", justify="right")] if excerpt else []),
        "Published", *(Column(name, overflow="fold") for name in ("Source", "Title", "Recognised")),
        title=escape(title), show_lines=excerpt,
    )  # fmt: skip
    for number, hit in enumerate(hits, start=1):
        cell = marked(hit.title, hit.title_places, "bold")
        if excerpt:
            cell.append("\n").append(marked(hit.excerpt.text, hit.excerpt.places))
            cell.append(f"\n{hit.url}\n{hit.uid[:12]}", "dim")
        if hit.withdrawal:
            cell.append(f"\n{describe_gone(hit.withdrawal)}", "bold red")
        if hit.also:
            cell.append(f"\nalso reported by {len(hit.also)}: {_also(hit.also)}", "italic")
        cells = (_shown_date(hit), escape(hit.publisher), cell, escape(_recognised(hit)))
        table.add_row(*([str(number)] if excerpt else []), *cells)
    return table


def marked(text: str, places: Sequence[Place], style: str = "") -> Text:
    """A text in which the places of what was asked for stand out, on a terminal."""
    shown = Text()
    for part, found in parts_of(text, places):
        shown.append(part, f"{style} bold underline yellow" if found else style)
    return shown


def describe_gone(withdrawal: dict[str, Any]) -> str:
    """A withdrawal that stands, in words; `gone_at` is a time or its ISO form."""
    gone_at = withdrawal["gone_at"]
    since = (datetime.fromisoformat(gone_at) if isinstance(gone_at, str) else gone_at).astimezone(SHANGHAI)
    return f"withdrawn: {KINDS[withdrawal['kind']]}, gone at {since:%Y-%m-%d %H:%M}"


def widened_table(widened: Iterable[Widened]) -> Table:
    """What each word and field of a query was read as."""
    table = Table(
        "Asked for", *(Column(name, overflow="fold") for name in ("Words", "Facts")), title="Read as"
    )
    for one in widened:
        table.add_row(escape(one.text), escape(", ".join(one.forms)), escape(", ".join(one.facts)))
    return table


def _also(reports: list[dict[str, Any]]) -> str:
    shown = [
        f"{report['publisher']} ({', '.join(report['why'])}{'; withdrawn' if report['withdrawn'] else ''})"
        for report in reports[:_MOST_REPORTS]
    ]
    more = len(reports) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def _recognised(hit: Hit) -> str:
    wanted = ("case_number", "document_number", "amount", "patent", "ip_type")
    shown = [raw for kind in wanted for raw in hit.facts.get(kind, ())[:2]]
    return ", ".join(shown)


def _shown_date(hit: Hit) -> str:
    if hit.published_at is not None:
        return f"{hit.published_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return hit.published_on.isoformat() if hit.published_on else "unknown"


def _shown_database(configuration: Configuration) -> str:
    url = read_url(configuration.database_url)
    return str(Path(url.database or "").resolve()) if url.drivername == "sqlite" else show_url(url)


def describe_crawl(
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
        "new": [describe_hit(hit) for hit in new.hits],
        "alerts": describe_report(report),
        "database": _shown_database(configuration),
    }


def describe_report(report: Report) -> dict[str, Any]:
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


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
