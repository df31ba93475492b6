"""The commands `iprwatch db …`: check, back up, restore, reindex, vacuum, copy, prune."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import DatabaseOption, JsonOption, err, out, print_json, read_configuration
from crawlers.archive import Archive
from pipeline.store.backup import back_up
from pipeline.store.copying import copy_store
from pipeline.store.restoring import restore_store, verify_backup
from pipeline.store.session import VERSIONS, open_engine, read_url
from pipeline.store.upkeep import check_store, prune_store, reindex_store, vacuum_store

db_app = typer.Typer(
    help="Look after the database: check, back up, restore, copy, prune.", no_args_is_help=True
)


@db_app.command("check")
def db_check(
    context: typer.Context,
    archive: Annotated[
        bool, typer.Option("--archive", help="Also read every page of the archive and compare its hash.")
    ] = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether the store is whole: file, references, items, search index. Exit code 1 when it is not."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    faults = list(check_store(engine, Archive(configuration.archive).open_page if archive else None))
    if as_json:
        print_json([{"place": fault.place, "detail": fault.detail} for fault in faults])
    elif faults:
        table = Table("Place", Column("Fault", overflow="fold"), title=f"{len(faults)} faults")
        for fault in faults:
            table.add_row(fault.place, escape(fault.detail))
        out.print(table)
    else:
        out.print("The store is whole.")
    if faults:
        raise typer.Exit(1)


@db_app.command("backup")
def db_backup(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where to put it.")] = None,
    db: DatabaseOption = None,
) -> None:
    """Copy the database while it may be written to, and verify the copy."""
    configuration = read_configuration(context, database=db)
    url = read_url(configuration.database_url)
    engine = open_engine(configuration.database_url, create=False)
    with engine.connect().execution_options(read_only=True) as connection:
        copy = back_up(connection, url, VERSIONS[-1], configuration.data / "backups", into=to)
    verify_backup(copy)
    out.print(f"Backed up and verified: {copy}", markup=False, highlight=False, soft_wrap=True)


@db_app.command("restore")
def db_restore(
    context: typer.Context,
    backup: Annotated[Path, typer.Argument(help="The backup: a file NAME.VERSION.TIME.backup or .dump.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a database that is not empty; a backup of it is made first."),
    ] = False,
    db: DatabaseOption = None,
) -> None:
    """Put a backup in the place of the database, after verifying it."""
    configuration = read_configuration(context, database=db)
    url = read_url(configuration.database_url)
    replaced = restore_store(url, backup, folder=configuration.data / "backups", force=force)
    out.print(f"Restored from {backup}.", markup=False, highlight=False, soft_wrap=True)
    if replaced is not None:
        out.print(f"What was there before: {replaced}", markup=False, highlight=False, soft_wrap=True)


@db_app.command("reindex")
def db_reindex(context: typer.Context, db: DatabaseOption = None) -> None:
    """Make the search index anew from the stored items."""
    configuration = read_configuration(context, database=db)
    wrong = reindex_store(open_engine(configuration.database_url, create=False))
    out.print(
        f"The search index is made anew; {wrong} documents were not as their items say.", highlight=False
    )


@db_app.command("vacuum")
def db_vacuum(context: typer.Context, db: DatabaseOption = None) -> None:
    """Give free space back to the system and renew the statistics that make searches fast."""
    configuration = read_configuration(context, database=db)
    vacuum_store(open_engine(configuration.database_url, create=False))
    out.print("Free space is given back.")


@db_app.command("copy")
def db_copy(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="URL", help="The database to copy into; it must be empty.")
    ],
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the store into another database and verify every table. Broken off, the same command goes on."""
    configuration = read_configuration(context, database=db)
    source = open_engine(configuration.database_url, create=False)
    copied = copy_store(
        source,
        open_engine(target, backups=configuration.data / "backups"),
        lambda name, rows: err.print(f"  {name}: {rows} rows", highlight=False),
    )
    if as_json:
        print_json([{"table": one.name, "rows": one.rows, "hash": one.sum} for one in copied])
        return
    total = sum(one.rows for one in copied)
    out.print(f"Copied and verified: {total} rows in {len(copied)} tables.", highlight=False)


@db_app.command("prune")
def db_prune(
    context: typer.Context,
    days: Annotated[
        int, typer.Option("--older-than", metavar="DAYS", min=30, help="Only rows older than this.")
    ] = 365,
    for_good: Annotated[
        bool, typer.Option("--delete", help="Delete them; without it they are only counted.")
    ] = False,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count rows that nothing needs any more, or delete them. Evidence is never among them."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    counts = prune_store(engine, datetime.now(UTC) - timedelta(days=days), for_good=for_good)
    if as_json:
        print_json({"deleted": for_good, "rows": counts})
        return
    shown = ", ".join(f"{count} of {name}" for name, count in counts.items())
    out.print(f"{'Deleted' if for_good else 'Would be deleted (add --delete)'}: {shown}.", highlight=False)
