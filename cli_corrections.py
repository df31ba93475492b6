"""The commands of corrections: a person's word on a date or a fact, over the machine's; listing and undoing it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import DatabaseOption, JsonOption, out, print_json, read_configuration
from pipeline.legal.fact_key import read_out
from pipeline.store.corrections import (
    CorrectionError,
    Place,
    add_fact,
    correct_fact,
    correct_published_as_written,
    list_corrections,
    remove_fact,
    undo,
)
from pipeline.store.session import open_engine


def correct_command(
    context: typer.Context,
    uid: Annotated[
        str | None, typer.Argument(help="The item: its id, the beginning of it, or its URL.")
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            "--published", metavar="DATE", help="2026-11-18, '2026-11-18 10:30' (China), or unknown."
        ),
    ] = None,
    fact: Annotated[
        str | None, typer.Option("--fact", metavar="KIND", help="The kind of fact, such as amount.")
    ] = None,
    raw: Annotated[str | None, typer.Option("--raw", help="The fact's words as they are printed.")] = None,
    value: Annotated[
        str | None, typer.Option("--value", metavar="JSON", help="What of the fact's value is otherwise.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="The fact is missing: add it.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="It is no such fact: remove it.")] = False,
    field: Annotated[
        str | None, typer.Option("--field", help="Only where it stands in the title or body.")
    ] = None,
    start: Annotated[
        int | None, typer.Option("--start", min=0, help="Only the one that starts at this character.")
    ] = None,
    was: Annotated[
        str | None, typer.Option("--was", metavar="TEXT", help="Only the one that reads so now.")
    ] = None,
    author: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded and shown.")] = "",
    undo_id: Annotated[
        int | None, typer.Option("--undo", metavar="ID", help="Undo this correction instead.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Correct a date or a fact of an item. It wins everywhere, outlives reparsing and edits, and can be undone."""
    configuration = read_configuration(context, database=db)
    others = (uid, published, fact, raw, value, field, start, was, author or None, reason or None)
    if undo_id is not None:
        if add or remove or any(given is not None for given in others):
            raise CorrectionError("--undo stands alone: it needs nothing but the id of a correction.")
        undo(open_engine(configuration.database_url, create=False), undo_id)
        out.print(f"Correction {undo_id} is undone.", highlight=False)
        return
    if uid is None or (published is None) == (fact is None):
        raise CorrectionError(
            "Name one item and what to correct: --published DATE, or --fact KIND and --raw TEXT."
        )
    if published is not None and (add or remove or any(given is not None for given in others[3:8])):
        raise CorrectionError("--raw, --value, --add, --remove, --field, --start and --was are for facts.")
    engine = open_engine(configuration.database_url, create=False)
    if published is not None:
        made = correct_published_as_written(engine, uid, published, author=author, reason=reason)
    else:
        assert fact is not None
        if raw is None or (add and remove) or (remove and value is not None):
            raise CorrectionError("A fact needs --raw TEXT and one of --value JSON, --add and --remove.")
        told: dict[str, Any] = {"author": author, "reason": reason, "place": Place(field, start, was)}
        if remove:
            made = remove_fact(engine, uid, fact, raw, **told)
        elif add:
            made = add_fact(engine, uid, fact, raw, _read_value(value or "{}"), **told)
        elif value is None:
            raise CorrectionError("Say what is otherwise with --value JSON, or --remove the fact.")
        else:
            made = correct_fact(engine, uid, fact, raw, _read_value(value), **told)
    out.print(f"Correction {made} is made; `iprwatch correct --undo {made}` undoes it.", highlight=False)


def _read_value(written: str) -> dict[str, Any]:
    try:
        value = json.loads(written)
    except ValueError as error:
        raise CorrectionError(f"--value: is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise CorrectionError('--value: write an object, such as {"amount": "350000"}.')
    return value


def corrections_command(
    context: typer.Context,
    uid: Annotated[
        str | None, typer.Argument(help="Only those of this item: its id or the beginning of it, or its URL.")
    ] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """All corrections, oldest first, with who made them, why, what they stand over, and whether they stand."""
    configuration = read_configuration(context, database=db)
    corrections = list_corrections(open_engine(configuration.database_url, create=False), uid)
    if as_json:
        print_json(corrections)
        return
    out.print(corrections_table(corrections))


def corrections_table(corrections: list[dict[str, Any]]) -> Table:
    """Corrections as people read them."""
    table = Table(
        "Id", "Item", *(Column(name, overflow="fold") for name in ("What", "The person's word", "The machine's")),
        "By", Column("Reason", overflow="fold"), "Made", "Stands", title=f"{len(corrections)} corrections",
    )  # fmt: skip
    for row in corrections:
        if row["target"] == "published":
            what, word = "published", row["value"]["value"] or "unknown"
            machine = row["displaced"][0]["value"] if row["displaced"] else "unknown"
        else:
            what = f"{row['action']} {row['kind']} {row['raw']}"
            word = read_out(row["kind"], row["value"]) or "no such fact"
            machine = "; ".join(
                dict.fromkeys(read_out(kept["kind"], kept["value"]) for kept in row["displaced"])
            )
        stands = "yes" if row["undone_at"] is None else f"until {row['undone_at'][:10]}"
        cells = (what, word, machine, row["author"], row["reason"], row["made_at"][:16], stands)
        table.add_row(str(row["id"]), row["uid"][:12], *map(escape, cells))
    return table
