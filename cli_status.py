"""The command that shows how every source stands."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import SHANGHAI, DatabaseOption, JsonOption, out, pick_sources, print_json, read_configuration
from cli_unread import describe_unread
from pipeline.health.status import SourceStatus
from pipeline.store.session import open_engine
from pipeline.store.unread import say_unread


def status_command(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Keys of sources; all when none is given.")
    ] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """How every source stands: its verdict, since when, when it was heard, and its last thirty days.

    Exit code 1 when one is not well and not muted.
    """
    from crawlers.permissions import list_permissions
    from crawlers.verdicts import (
        pick_statuses,
        read_statuses,
    )  # APScheduler; other commands needn't wait for it

    configuration = read_configuration(context, database=db)
    wanted = pick_sources(configuration, sources or [])
    engine = open_engine(configuration.database_url, create=False)
    now = datetime.now(UTC)
    statuses = pick_statuses(read_statuses(configuration, engine, now), (source.key for source in wanted))
    permissions = [given for given in list_permissions(engine) if given.revoked_at is None]
    engine.dispose()
    hosts = {source.key: source.host for source in wanted}
    unverified = {source.key for source in wanted if not source.verify_certificate}
    if as_json:
        print_json(
            [
                {
                    **_describe(status, now),
                    "certificate_verified": status.key not in unverified,
                    "permissions": [
                        {
                            "path": given.path,
                            "reason": given.reason,
                            "allowed_at": given.allowed_at.isoformat(),
                        }
                        for given in permissions
                        if given.host == hosts[status.key]
                    ],
                }
                for status in statuses
            ]
        )
    else:
        _print(statuses, now, unverified)
        for given in permissions:
            out.print(
                f"Fetched in spite of robots.txt: {given.host}{given.path} since {given.allowed_at:%Y-%m-%d}, "
                f"because: {given.reason}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if not all(status.is_green for status in statuses if status.verdict is not None):
        raise typer.Exit(1)


def _print(statuses: list[SourceStatus], now: datetime, unverified: Set[str]) -> None:
    today = now.astimezone(SHANGHAI).date()
    table = Table(
        "Source", "Verdict", "Since", "Last heard", "Next", "Last 30 days", Column("", overflow="fold")
    )
    for status in statuses:
        style = "green" if status.is_well else "yellow" if status.mute or not status.verdict else "bold red"
        one = status.on(today) or (status.days[-1] if status.days else None)
        notes = [one.why] if one is not None and one.why and not status.is_well else []
        if status.mute is not None:
            notes.append(f"Muted until {status.mute.until}: {status.mute.reason}")
        if status.is_well and status.waiting:
            notes.append(say_unread(status.waiting))
        if status.set_aside:
            notes.append(f"{len(status.set_aside)} set aside: see `iprwatch sources unread`")
        if status.key in unverified:
            notes.append("The certificate is not verified")
        table.add_row(
            status.key,
            f"[{style}]{escape(status.shown)}[/]",
            str(status.since or ""),
            _show_time(status.heard_at),
            _show_time(status.next_at),
            status.sparkline(today),
            escape("\n".join(notes)),
        )
    out.print(table)
    well = sum(status.is_well for status in statuses)
    never = sum(status.verdict is None for status in statuses)
    line = f"{well} of {len(statuses)} sources are well" + (f", {never} are not judged yet" if never else "")
    out.print(f"{line}.", highlight=False)


def _show_time(moment: datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}" if moment is not None else ""


def _describe(status: SourceStatus, now: datetime) -> dict[str, Any]:
    return {
        "key": status.key,
        "name": status.name,
        "verdict": status.verdict,
        "kind": status.kind,
        "since": status.since.isoformat() if status.since else None,
        "well": status.is_well,
        "missed_runs": status.missed,
        "heard_at": status.heard_at.isoformat() if status.heard_at else None,
        "next_at": status.next_at.astimezone(UTC).isoformat() if status.next_at else None,
        "muted_until": status.mute.until.isoformat() if status.mute else None,
        "muted_reason": status.mute.reason if status.mute else None,
        "unread": [describe_unread(article) for article in status.unread],
        "sparkline": status.sparkline(now.astimezone(SHANGHAI).date()),
        "days": [
            {
                "day": one.day.isoformat(),
                "verdict": one.verdict,
                "kind": one.kind,
                "why": one.why,
                "heard": one.heard,
                "new": one.new,
                "edited": one.edited,
                "evidence": dict(one.evidence),
            }
            for one in status.days
        ],
    }
