"""The commands about stories: which items tell of one event, why, and what a person says otherwise."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import DatabaseOption, JsonOption, describe_gone, out, print_json, read_configuration
from pipeline.store.session import open_engine
from pipeline.store.story_decisions import merge_stories, split_story, undo_decision
from query.stories import describe_story, list_stories

stories_app = typer.Typer(help="Which items tell of one event, and why.", no_args_is_help=True)
story_app = typer.Typer(help="Say what is one story and what isn't, over the machine.", no_args_is_help=True)

ItemArgument = Annotated[
    str, typer.Argument(help="An item: its id, the beginning of it, or its URL.", metavar="ITEM")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded and shown.")]
AuthorOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]


@stories_app.command("list")
def stories_list(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also stories with a single report.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many, newest first.")
    ] = 20,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stories with more than one report, newest first; the report closest to the source leads each."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    total, stories = list_stories(engine, single=everything, limit=limit)
    if as_json:
        print_json({"total": total, "stories": stories})
        return
    if not stories:
        out.print("No event has been reported by more than one item yet.")
        return
    title = "1 story" if total == 1 else f"{total} stories"
    table = Table(
        "Story", "Published", *(Column(name, overflow="fold") for name in ("Report", "Why it is in the story")),
        title=title, show_lines=True,
    )  # fmt: skip
    for story in stories:
        for report in story["reports"]:
            _add_report(table, story, report)
    out.print(table)


@stories_app.command("show")
def stories_show(
    context: typer.Context, item: ItemArgument, db: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """The story of an item: its reports with the reasons, what is kept apart from it, and people's decisions."""
    configuration = read_configuration(context, database=db)
    story = describe_story(open_engine(configuration.database_url, create=False), item)
    if as_json:
        print_json(story)
        return
    for table in story_tables(story):
        out.print(table)


def story_tables(story: dict[str, Any]) -> list[Table]:
    """A story as people read it."""
    count = len(story["reports"])
    reports = Table(
        "Story", "Published", *(Column(name, overflow="fold") for name in ("Report", "Why it is in the story")),
        title=f"Story {story['story']}: {'1 report' if count == 1 else f'{count} reports'}", show_lines=True,
    )  # fmt: skip
    for report in story["reports"]:
        _add_report(reports, story, report)
    tables = [reports]
    for title, part in (("Within longer texts", "carried_by"), ("Alike, and kept apart", "apart")):
        if story[part]:
            near = Table(*(Column(name, overflow="fold") for name in ("Item", "Reason")), title=title)
            for link in story[part]:
                shown = f"{link['title']}\n{link['publisher']}, {link['uid'][:12]}"
                near.add_row(escape(shown), escape(link["reason"]))
            tables.append(near)
    if story["decisions"]:
        tables.append(_decisions_table(story["decisions"]))
    return tables


def _add_report(table: Table, story: dict[str, Any], report: dict[str, Any]) -> None:
    reasons = [reason["text"] for reason in report["reasons"]]
    if report["leads"]:
        reasons.insert(0, f"leads: {story['lead_reason']}")
    gone = f"\n[bold red]{escape(describe_gone(report['withdrawn']))}[/]" if report["withdrawn"] else ""
    table.add_row(
        str(story["story"]) if report["leads"] else "",
        report["published_on"] or "unknown",
        f"[bold]{escape(report['title'])}[/]\n{escape(report['publisher'])}\n[dim]{report['uid'][:12]}[/]{gone}",
        escape("\n".join(reasons)),
    )


def _decisions_table(decisions: list[dict[str, Any]]) -> Table:
    table = Table(
        "Id", "Decision", *(Column(name, overflow="fold") for name in ("Items", "Reason")), "By", "Made", "Stands",
        title="Decisions",
    )  # fmt: skip
    for row in decisions:
        items = ", ".join(uid[:12] for uid in (row["item"], row["other"]) if uid)
        stands = "yes" if row["undone_at"] is None else f"until {row['undone_at'][:10]}"
        table.add_row(
            str(row["id"]), row["action"], items, escape(row["reason"]), escape(row["author"]),
            row["made_at"][:16], stands,
        )  # fmt: skip
    return table


@story_app.command("split")
def story_split(
    context: typer.Context,
    item: ItemArgument,
    reason: ReasonOption = "",
    author: AuthorOption = "",
    db: DatabaseOption = None,
) -> None:
    """Take an item out of its story. It stands alone from then on, unless you merge it with another."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    made = split_story(engine, item, author=author, reason=reason)
    out.print(f"Decision {made} is made; `iprwatch story undo {made}` undoes it.", highlight=False)


@story_app.command("merge")
def story_merge(
    context: typer.Context,
    item: ItemArgument,
    other: Annotated[str, typer.Argument(help="An item of the other story.", metavar="OTHER")],
    reason: ReasonOption = "",
    author: AuthorOption = "",
    db: DatabaseOption = None,
) -> None:
    """Make one story of the stories of two items."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    made = merge_stories(engine, item, other, author=author, reason=reason)
    out.print(f"Decision {made} is made; `iprwatch story undo {made}` undoes it.", highlight=False)


@story_app.command("undo")
def story_undo(
    context: typer.Context,
    decision: Annotated[int, typer.Argument(help="The number of a decision.")],
    db: DatabaseOption = None,
) -> None:
    """Undo a split or merge: the items go where the machine puts them."""
    configuration = read_configuration(context, database=db)
    undo_decision(open_engine(configuration.database_url, create=False), decision)
    out.print(f"Decision {decision} is undone.", highlight=False)
