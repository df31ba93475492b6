"""The commands about withdrawn articles: which there are, and a person's word on many that are gone at once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import DatabaseOption, JsonOption, out, pick_sources, print_json, read_configuration
from pipeline.store.session import open_engine
from pipeline.store.withdrawal_judgements import judge_withdrawals
from pipeline.store.withdrawals import KINDS
from query.withdrawals import list_withdrawals

withdrawals_app = typer.Typer(
    help="Articles whose pages are gone, and what to make of many at once.", no_args_is_help=True
)

ItemsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Items: ids, beginnings of them, or URLs.", metavar="[ITEM]...", show_default=False),
]
OfSourceOption = Annotated[
    str | None, typer.Option("--source", metavar="KEY", help="All of this source that wait for a word.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded and shown.")]
AuthorOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]


@withdrawals_app.command("list")
def withdrawals_list(
    context: typer.Context,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that wait for a word: many were gone at once.")
    ] = False,
    source: Annotated[
        str | None, typer.Option("--source", metavar="KEY", help="Only of this source.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many, newest first.")
    ] = 50,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Articles that were withdrawn, newest first, with the evidence, the judgement and the alerts."""
    configuration = read_configuration(context, database=db)
    if source:
        pick_sources(configuration, [source])
    engine = open_engine(configuration.database_url, create=False)
    total, found = list_withdrawals(engine, source_key=source, only_open=only_open, limit=limit)
    if as_json:
        print_json({"total": total, "withdrawals": found})
        return
    if not found:
        out.print("Nothing waits for a word." if only_open else "Nothing was withdrawn.")
        return
    table = Table(
        "Gone", *(Column(name, overflow="fold") for name in ("Article", "How", "Judgement", "Alerts")),
        title="1 withdrawal" if total == 1 else f"{total} withdrawals", show_lines=True,
    )  # fmt: skip
    for row in found:
        until = f"\nuntil {row['returned_at'][:16]}" if row["returned_at"] else ""
        judged = row["judgement"] or ""
        if row["judged_reason"]:
            judged += f" ({row['judged_by'] or 'no name'}): {row['judged_reason']}"
        table.add_row(
            row["gone_at"][:16] + until,
            f"[bold]{escape(row['title'])}[/]\n{escape(row['source'])}\n[dim]{row['uid'][:12]}[/]",
            escape(f"{KINDS[row['kind']]}\n{row['detail']}"),
            escape(judged),
            ", ".join(f"{number} {state}" for state, number in sorted(row["alerts"].items())),
        )
    out.print(table)


@withdrawals_app.command("confirm")
def withdrawals_confirm(
    context: typer.Context,
    items: ItemsArgument = None,
    source: OfSourceOption = None,
    reason: ReasonOption = "",
    author: AuthorOption = "",
    db: DatabaseOption = None,
) -> None:
    """Say that articles gone at once were withdrawn indeed: their alerts, held back so far, are due."""
    number, due = _judge(context, "real", items, source, reason, author, db)
    alerts = "1 alert is" if due == 1 else f"{due} alerts are"
    out.print(f"{_count(number)} confirmed; {alerts} due.", highlight=False)


@withdrawals_app.command("dismiss")
def withdrawals_dismiss(
    context: typer.Context,
    items: ItemsArgument = None,
    source: OfSourceOption = None,
    reason: ReasonOption = "",
    author: AuthorOption = "",
    db: DatabaseOption = None,
) -> None:
    """Say that articles gone at once are a change of the site: they are withdrawn no longer, and nobody is told."""
    number, _ = _judge(context, "dismissed", items, source, reason, author, db)
    out.print(f"{_count(number)} dismissed; no alert is sent.", highlight=False)


def _judge(
    context: typer.Context,
    judgement: Literal["real", "dismissed"],
    items: list[str] | None,
    source: str | None,
    reason: str,
    author: str,
    db: str | None,
) -> tuple[int, int]:
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    return judge_withdrawals(engine, judgement, items or [], source, author=author, reason=reason)


def _count(number: int) -> str:
    return "1 withdrawal is" if number == 1 else f"{number} withdrawals are"
