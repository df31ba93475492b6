"""The commands on alerts: sending, the ledger, one alert, why somebody was told or not, and testing a channel."""

from __future__ import annotations

import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table
from sqlalchemy import Connection

from cli_output import (
    DatabaseOption,
    JsonOption,
    describe_report,
    err,
    out,
    print_json,
    print_report,
    read_configuration,
)
from configuration import Configuration
from errors import ConfigurationError
from pipeline.alerts.channels import Channel, check_recipient
from pipeline.alerts.check import Check, check_alerts
from pipeline.alerts.escalation import acknowledge
from pipeline.alerts.gone import enable_recipient
from pipeline.alerts.message import Receipt
from pipeline.alerts.outbox import deliver
from pipeline.alerts.resend import resend
from pipeline.alerts.rules import Rule, Rules
from pipeline.alerts.wording import EXAMPLE
from pipeline.expression.subject import Subject
from pipeline.store.pace import end_turn, take_turn
from pipeline.store.session import open_engine
from query.deliveries import describe_delivery, list_deliveries, list_gone_recipients
from query.errors import QueryError
from query.why import Matches, explain_alerts

alerts_app = typer.Typer(help="What was sent, what is due, and sending it.", no_args_is_help=True)


@alerts_app.command("send")
def alerts_send(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Send every alert that is due now. Exit code 1 when one was given up."""
    configuration = read_configuration(context, database=db)
    report = deliver(
        open_engine(configuration.database_url, create=False),
        configuration.build_channels(),
        rules=configuration.all_rules(),
        operators=configuration.operators,
    )
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
    engine = open_engine(configuration.database_url, create=False)
    rows = list_deliveries(engine, limit=limit)
    if as_json:
        print_json(rows)
        return
    table = Table("Id", "Created", "State", "Rule", "Item", "Channel", "To", "Detail")
    for row in rows:
        cells = (
            row[key] for key in ("created_at", "state", "rule", "title", "channel", "recipient", "detail")
        )
        table.add_row(row["id"][:8], *(escape(str(cell or "")) for cell in cells))
    out.print(table)
    for gone in list_gone_recipients(engine):
        out.print(
            f"Nothing is sent to {gone['recipient'] or 'the recipient'} on channel {gone['channel']} since "
            f"{gone['noted_at']}: {gone['detail']}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


@alerts_app.command("show")
def alerts_show(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")],
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """One alert with every attempt to send it, and what came back."""
    configuration = read_configuration(context, database=db)
    shown = describe_delivery(open_engine(configuration.database_url, create=False), alert)
    if as_json:
        print_json(shown)
        return
    attempts, carried = shown.pop("attempts_made"), shown.pop("alerts")
    fields = Table("Field", Column("Value", overflow="fold"), title=f"Alert {shown['id']}")
    for key, value in shown.items():
        fields.add_row(key, escape("" if value is None else str(value)))
    out.print(fields)
    table = Table("Made", "Part", "Outcome", Column("What came back", overflow="fold"), title="Attempts")
    for attempt in attempts:
        table.add_row(attempt["made_at"], str(attempt["part"]), attempt["outcome"], escape(attempt["detail"]))
    out.print(table)
    if carried:
        table = Table("Id", "State", "Rule", Column("Item", overflow="fold"), title="Alerts in this message")
        for row in carried:
            table.add_row(row["id"][:8], row["state"], escape(row["rule"]), escape(row["title"] or ""))
        out.print(table)


@alerts_app.command("resend")
def alerts_resend(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")],
    db: DatabaseOption = None,
) -> None:
    """Make an alert due once more, whatever became of it. It carries the same id; the next round sends it."""
    configuration = read_configuration(context, database=db)
    delivery_id = resend(open_engine(configuration.database_url, create=False), alert)
    out.print(
        f"Alert {delivery_id} is due again; `iprwatch alerts send` or the scheduler sends it.",
        highlight=False,
    )


@alerts_app.command("acknowledge")
def alerts_acknowledge(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="The alert's or the message's id, or the beginning of it.")],
    db: DatabaseOption = None,
) -> None:
    """Say that an alert, or all alerts of a message, were seen: they are not escalated."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    number = acknowledge(engine, alert, datetime.now(UTC))
    out.print(f"{number} {'alert is' if number == 1 else 'alerts are'} acknowledged.", highlight=False)


@alerts_app.command("check")
def alerts_check(
    context: typer.Context,
    days: Annotated[
        int,
        typer.Option("--days", min=0, max=36600, help="Only what was stored in so many days; 0: all."),
    ] = 0,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold what was stored and matched against what was delivered. Exit code 1 when an alert is not accounted for."""
    from crawlers.stored import read_stored

    configuration = read_configuration(context, database=db)
    rules = configuration.all_rules()
    matcher = Rules(rules)
    now = datetime.now(UTC)
    check = check_alerts(
        open_engine(configuration.database_url, create=False),
        rules,
        lambda connection, item_id: matcher(read_stored(connection, item_id), "new"),
        now,
        since=now - timedelta(days=days) if days else None,
    )
    if as_json:
        print_json({"well": check.is_well, "line": check.as_line(), **asdict(check)})
    else:
        _print_check(check)
    if not check.is_well:
        raise typer.Exit(1)


def _print_check(check: Check) -> None:
    out.print(check.as_line(), markup=False, highlight=False, soft_wrap=True)
    if check.missing:
        table = Table(
            "Item", Column("Title", overflow="fold"), "Rule", "Channel", "To", title="Alerts that are missing"
        )
        for one in check.missing:
            cells = (one.uid[:12], one.title, one.rule, one.channel, one.recipient)
            table.add_row(*map(escape, cells))
        out.print(table)
    for word, ids in (
        ("Overdue", check.overdue),
        ("Astray", check.astray),
        ("Without proof", check.unproved),
    ):
        if ids:
            out.print(f"{word}: {', '.join(ids)}", highlight=False, soft_wrap=True)


@alerts_app.command("enable")
def alerts_enable(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    to: Annotated[str, typer.Option("--to", help="The recipient, as `alerts list` names it.")] = "",
    db: DatabaseOption = None,
) -> None:
    """Send again to a recipient that had asked for no more messages (HTTP 410)."""
    configuration = read_configuration(context, database=db)
    if not enable_recipient(open_engine(configuration.database_url, create=False), channel, to):
        raise QueryError(f"Nothing is held back from this recipient on channel {channel!r}.")
    out.print(
        "Enabled. What was given up meanwhile: `iprwatch alerts list`, then `alerts resend`.", highlight=False
    )


@alerts_app.command("why")
def alerts_why(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="The item: its id, the beginning of it, or its URL.")],
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who was told of an item and when, and who was not and why, rule by rule."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    found = explain_alerts(engine, item, configuration.all_rules(), _try_rules(configuration))
    if as_json:
        print_json(found)
        return
    table = Table(
        "Rule", "Event", "Channel", "To", Column("Answer", overflow="fold"), "At", "Alert",
        title=escape(f"{found['title']} ({found['source']})"),
    )  # fmt: skip
    for answer in found["answers"]:
        cells = (answer[key] for key in ("rule", "event", "channel", "recipient", "answer", "at"))
        table.add_row(*(escape(str(cell or "")) for cell in cells), (answer["alert"] or "")[:8])
    out.print(table)
    if not found["answers"]:
        out.print("Nobody was to be told: no rule is configured.", highlight=False)


def _try_rules(configuration: Configuration) -> Matches:
    """Tries a rule on an item as today's reader and steps understand its stored page."""
    from crawlers.archive import Archive, ArchiveError
    from crawlers.errors import PageError
    from crawlers.stored import read_again

    archive = Archive(configuration.archive)

    def matches(connection: Connection, item_id: int, rule: Rule, event: str) -> bool | None:
        try:
            record, _ = read_again(connection, archive, item_id)
        except (ArchiveError, PageError):
            return None
        return bool(Rules([rule]).find(Subject.of(record), event))

    return matches


@alerts_app.command("test")
def alerts_test(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    to: Annotated[str, typer.Option("--to", help="The recipient, where the channel has several.")] = "",
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a test message and say what came back. It counts for the channel's pace; the ledger has no row of it."""
    configuration = read_configuration(context, database=db)
    channels = configuration.build_channels()
    if channel not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise ConfigurationError(f"No channel is called {channel!r}; there are {known}.")
    try:
        check_recipient(channels[channel].kind, to)
    except ValueError as error:
        raise ConfigurationError(f"--to: the recipient on channel {channel!r} {error}.") from None
    receipt = _send_test(channels[channel], to, configuration)
    said: dict[str, Any] = {"ok": receipt.ok, "retry": receipt.retry, "detail": receipt.detail}
    if as_json:
        print_json(said)
    elif receipt.ok:
        out.print(f"Taken by {channel}: {receipt.detail}", markup=False, highlight=False)
    else:
        advice = "it may work later" if receipt.retry else "it won't work until something is changed"
        err.print(f"Not taken by {channel}, {advice}: {receipt.detail}", markup=False, highlight=False)
    if not receipt.ok:
        raise typer.Exit(1)


def _send_test(channel: Channel, to: str, configuration: Configuration) -> Receipt:
    message = replace(EXAMPLE, id=uuid.uuid4().hex, created_at=datetime.now(UTC))
    if channel.pace is None:
        return channel.send(message, to)
    engine = configuration.open_store()
    turn = take_turn(engine, channel.pace)
    if turn.place is None:
        return Receipt(
            ok=False, retry=True, detail=f"the channel's messages are used up, wait {turn.wait:.0f} s"
        )
    receipt = channel.send(message, to)
    end_turn(engine, channel.pace, turn.place, receipt.rest)
    return receipt
