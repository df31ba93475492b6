"""The commands that look at rules before they tell anybody: what each asks for, and what it would have matched."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import (
    DatabaseOption,
    JsonOption,
    check_named,
    out,
    print_json,
    read_configuration,
    widened_table,
)
from pipeline.alerts.rule_report import DAYS, hold_rules
from pipeline.alerts.rule_trials import NOISY, Trial, count_told, try_rules
from pipeline.alerts.rules import Recipient, Rule
from pipeline.expression import read_query
from pipeline.store.session import open_engine

rules_app = typer.Typer(help="What rules ask for, and what they would have told.", no_args_is_help=True)

DaysOption = Annotated[
    int,
    typer.Option("--days", min=1, max=3660, help="Hold rules against what was published in so many days."),
]
_LISTS = ("words", "sources", "topics", "ip_types", "case_numbers", "courts")


@rules_app.command("list")
def rules_list(
    context: typer.Context,
    days: DaysOption = 90,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the rules and watched names, with what they would have matched and what they told."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    rules = configuration.all_rules()
    held, trials = try_rules(engine, rules, now=datetime.now(UTC), days=days)
    told = count_told(engine)
    rows: list[dict[str, Any]] = [
        {
            "rule": rule.name,
            "asks_for": _say(rule),
            "events": list(rule.events),
            "channels": list(dict.fromkeys(recipient.channel for recipient in rule.send)),
            "matched_items": trial.items,
            "matched_events": trial.events,
            "verdict": trial.verdict(days),
            "told_items": told.get(rule.name, (0, None))[0],
            "last_told_at": last.isoformat(timespec="seconds")
            if (last := told.get(rule.name, (0, None))[1])
            else None,
        }
        for rule, trial in zip(rules, trials, strict=True)
    ]
    if as_json:
        print_json({"items": held, "days": days, "rules": rows})
        return
    table = Table(
        "Rule", Column("Asks for", overflow="fold"), "Tells of", "By", f"In {days} days", "", "Told", "Last",
        title=f"{len(rules)} rules, held against {held} items",
    )  # fmt: skip
    for row in rows:
        cells = (
            row["rule"], row["asks_for"], ", ".join(row["events"]), ", ".join(row["channels"]),
            f"{row['matched_events']} events", row["verdict"], str(row["told_items"]), (row["last_told_at"] or "")[:10],
        )  # fmt: skip
        table.add_row(*map(escape, cells))
    out.print(table)


@rules_app.command("report")
def rules_report(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Say which rules matched nothing and which match too much, as the operators are told each month."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    report = hold_rules(engine, configuration.all_rules(), datetime.now(UTC))
    if as_json:
        print_json({"days": DAYS, **asdict(report)})
        return
    for line in (report.title, *report.lines):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


@rules_app.command("test")
def try_command(
    context: typer.Context,
    rule: Annotated[
        str, typer.Argument(metavar="RULE_OR_QUERY", help="The name of a rule, or an expression to be tried.")
    ],
    days: DaysOption = 90,
    limit: Annotated[
        int, typer.Option("--limit", min=0, max=1000, help="Show at most so many examples.")
    ] = 10,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a rule or query would have matched among the stored items, how often, and examples. Tells nobody."""
    configuration = read_configuration(context, database=db)
    named = next((known for known in configuration.all_rules() if known.name == rule), None)
    query = read_query(named.query if named else rule) if named is None or named.query else None
    tried = named or Rule(name="query", query=rule, send=(Recipient(channel="none"),))
    if tried.condition is not None:
        check_named(configuration, tried.condition)
    engine = open_engine(configuration.database_url, create=False)
    held, (trial,) = try_rules(engine, [tried], now=datetime.now(UTC), days=days, examples=limit)
    widened = query.widened if query else ()
    if as_json:
        described = _describe(tried.name if named else None, held, days, trial)
        print_json(described | {"widened": [asdict(one) for one in widened]})
        return
    if widened:
        out.print(widened_table(widened))
    what = f"The rule {tried.name!r}" if named else "The query"
    out.print(
        f"{what} matches {trial.items} of {held} items of the last {days} days: {trial.events} events, "
        f"{trial.events_a_week(days):.1f} a week{_verdict_in_words(trial, days)}.",
        markup=False, highlight=False,
    )  # fmt: skip
    if trial.weeks:
        weeks = Table("Week from", "Events")
        for monday, events in trial.weeks:
            weeks.add_row(monday.isoformat(), str(events))
        out.print(weeks)
    if trial.examples:
        examples = Table(
            "Published", "Publisher", Column("Title", overflow="fold"), Column("Matched by", overflow="fold"),
            title=f"{len(trial.examples)} examples, newest first", show_lines=True,
        )  # fmt: skip
        for one in trial.examples:
            day = one.published_on.isoformat() if one.published_on else "unknown"
            examples.add_row(day, escape(one.publisher), escape(one.title), escape(one.matched))
        out.print(examples)


def _describe(name: str | None, held: int, days: int, trial: Trial) -> dict[str, Any]:
    return {
        "rule": name,
        "days": days,
        "items": held,
        "matched_items": trial.items,
        "matched_events": trial.events,
        "events_a_week": round(trial.events_a_week(days), 2),
        "verdict": trial.verdict(days),
        "weeks": [{"from": monday.isoformat(), "events": events} for monday, events in trial.weeks],
        "examples": [
            asdict(one) | {"published_on": one.published_on.isoformat() if one.published_on else None}
            for one in trial.examples
        ],
    }


def _verdict_in_words(trial: Trial, days: int) -> str:
    words = {"silent": "", "noisy": f" (noisy: more than {NOISY})", "": ""}
    return words[trial.verdict(days)]


def _say(rule: Rule) -> str:
    """What a rule asks for, in one line."""
    parts = [rule.query] if rule.query else []
    parts += [" | ".join(names)] if (names := getattr(rule, "names", ())) else []
    parts += [f"{key}: {', '.join(getattr(rule, key))}" for key in _LISTS if getattr(rule, key)]
    if rule.amount_min is not None:
        parts.append(f"amount_min: {rule.amount_min} {rule.currency}")
    return "; ".join(parts) or "everything"
