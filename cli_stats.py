"""The command that counts items and draws what it counted."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from chromium import find_chromium
from cli_filters import (
    CaseFilter,
    CourtFilter,
    CurrencyFilter,
    DocumentFilter,
    IpTypeFilter,
    KindFilter,
    LeastFilter,
    MostFilter,
    PartyFilter,
    SavedFilter,
    SinceFilter,
    SourceFilter,
    StatuteFilter,
    UntilFilter,
    WithdrawnFilter,
    WordsArgument,
    read_filter,
)
from cli_output import DatabaseOption, JsonOption, err, out, print_json, read_configuration
from pipeline.store.session import open_engine
from query.charts import bar_chart
from query.errors import QueryError
from query.export.whole import whole_file
from query.fact_filters import CURRENCY
from query.pictures import draw_png
from query.search import find_conditions
from query.stats import BY, Group, count_items

_WIDEST = 40
_HEADS = {"ip_type": "Kind of right", "amount": "Month"}
_NAMES = {
    "month": "Items by month of publication",
    "source": "Items by source",
    "court": "Items by court",
    "ip_type": "Items by kind of right",
    "outcome": "Items by outcome",
    "amount": "Median of the largest sum of an item, in yuan, by month of publication",
}


def stats_command(
    context: typer.Context,
    words: WordsArgument = None,
    by: Annotated[str, typer.Option("--by", help=f"Group by {', '.join(BY)}.")] = "month",
    top: Annotated[
        int, typer.Option("--top", min=1, max=1000, help="At most so many groups; of months, the latest.")
    ] = 30,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Also draw the chart into this SVG file.")
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="FILE", help="Also draw the chart into this PNG file, with Chromium."),
    ] = None,
    source: SourceFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    case_no: CaseFilter = None,
    court: CourtFilter = None,
    amount_min: LeastFilter = None,
    amount_max: MostFilter = None,
    currency: CurrencyFilter = CURRENCY,
    ip_type: IpTypeFilter = None,
    statute: StatuteFilter = None,
    party: PartyFilter = None,
    doc_no: DocumentFilter = None,
    kind: KindFilter = None,
    withdrawn: WithdrawnFilter = False,
    saved: SavedFilter = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the items that a search finds, by month, source, court, kind of right or outcome; or the sums they name."""
    if by not in BY:
        raise QueryError(f"--by {by}: items are grouped by {', '.join(BY)}.")
    _check_ending(svg, "--svg", ".svg")
    _check_ending(png, "--png", ".png")
    configuration = read_configuration(context, database=db)
    chromium = find_chromium(configuration.chromium, "--png") if png is not None else None
    engine = open_engine(configuration.database_url, create=False)
    conditions = find_conditions(engine.dialect.name, **read_filter(configuration, context.params))
    groups = count_items(engine, conditions, by)
    shown = groups[-top:] if by in ("month", "amount") else groups[:top]
    title = f"{_NAMES[by]}: {' '.join(words)}" if words else _NAMES[by]
    if svg is not None or png is not None:
        chart = bar_chart(title, [(group.label, _number(group, by)) for group in shown])
        drawn = [] if svg is None else [(svg, chart.encode("utf-8"))]
        if png is not None and chromium is not None:
            drawn.append((png, draw_png(chart, chromium)))
        _write_all(drawn)
    if as_json:
        print_json(
            {"by": by, "total_groups": len(groups), "groups": [_describe(group, by) for group in shown]}
        )
        return
    out.print(_table(shown, by, title))
    if len(groups) > len(shown):
        err.print(f"{len(groups) - len(shown)} more groups; --top shows more.", highlight=False)


def _check_ending(path: Path | None, option: str, ending: str) -> None:
    # An SVG file called chart.png would be opened as what it isn't.
    if path is not None and path.suffix.lower() != ending:
        raise QueryError(
            f"{option} {path}: the file is {ending[1:].upper()}, so its name ends in {ending}; "
            "--svg draws SVG, --png draws PNG."
        )


def _write_all(drawn: list[tuple[Path, bytes]]) -> None:
    """None takes its place before all are written."""
    with ExitStack() as files:
        for path, picture in drawn:
            files.enter_context(whole_file(path)).write(picture)
    for path, _ in drawn:
        err.print(f"Drawn into {path}.", markup=False, highlight=False, soft_wrap=True)


def _number(group: Group, by: str) -> int | Decimal:
    return (group.median or Decimal(0)) if by == "amount" else group.items


def _describe(group: Group, by: str) -> dict[str, str | int | None]:
    described: dict[str, str | int | None] = {"label": group.label, "items": group.items}
    if by == "amount":
        for name, amount in (("median", group.median), ("largest", group.largest)):
            described[name] = None if amount is None else format(amount.normalize(), "f")
    return described


def _table(groups: list[Group], by: str, title: str) -> Table:
    amounts = ["Median", "Largest"] if by == "amount" else []
    table = Table(
        Column(_HEADS.get(by, by.capitalize()), overflow="fold"), Column("Items", justify="right"),
        *(Column(name, justify="right") for name in amounts), "", title=escape(title),
    )  # fmt: skip
    largest = max((_number(group, by) for group in groups), default=0)
    for group in groups:
        bar = "█" * round(float(Decimal(_number(group, by)) / Decimal(largest)) * _WIDEST) if largest else ""
        sums = [_shown(group.median), _shown(group.largest)] if by == "amount" else []
        table.add_row(escape(group.label), str(group.items), *sums, bar)
    return table


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():,f}"
