"""How well and how fast printed dates are read, beside what one would pick instead.

Run: python -m benchmarks.dates

The cases are those of tests/pipeline/date_cases.toml, written for this project and in its spirit: a string
that holds a date of something else must be refused. Right, wrong and missed count the strings that have a
date, judged by the day; `clock` those that print a time and were read right to the minute; `invented` the
strings that must be refused and were not. `µs common` is the mean of the forms that nearly all lists and pages print
(`COMMON`); the ratio is that of the medians over all cases. Every parser reads the same strings in one run.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import statistics
import time
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.dates import SHANGHAI, parse_date

_CASES = Path(__file__).resolve().parent.parent / "tests" / "pipeline" / "date_cases.toml"
_ROUNDS = 5

COMMON = (
    "2026-11-20",
    "2026/11/20",
    "2026.11.20",
    "2026年11月20日",
    "2026-11-20 10:23",
    "2026-11-20 10:23:45",
    "2026年11月20日 10:23",
    "发布时间：2026-11-20",
    "发布时间：2026-11-20 10:23",
    "发布日期：2026年11月20日",
    "时间：2026-11-20 10:23:45",
    "Nov 20, 2026",
)

Moment = date | datetime | None
Parser = Callable[[str], Moment]


@dataclass(frozen=True, slots=True)
class Case:
    """A printed string and the date it holds; None where it must be refused."""

    raw: str
    expected: Moment


@dataclass(slots=True)
class Score:
    """The counts of one parser, and its time a string in microseconds: over all cases, and for the common forms."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    invented: int = 0
    clock: int = 0
    mean: float = 0.0
    median: float = 0.0
    common: float = 0.0


def load_cases() -> tuple[datetime, list[Case]]:
    """The moment that relative words count from, and the cases."""
    groups = tomllib.loads(_CASES.read_text(encoding="utf-8"))
    base: datetime = groups.pop("base")
    cases = []
    for group in groups.values():
        for raw, expected, *_ in group["read"]:
            clock = "T" in expected
            cases.append(
                Case(raw, datetime.fromisoformat(expected) if clock else date.fromisoformat(expected))
            )
        cases += [Case(raw, None) for raw, _ in group["refused"]]
    return base, cases


def our_parser(base: datetime) -> Parser:
    """The parser of this project."""
    return lambda raw: parse_date(raw, base=base).value


def dateparser_defaults(_base: datetime) -> Parser:
    """dateparser as its first example calls it: it counts relative words from the real now."""
    dateparser = importlib.import_module("dateparser")
    return lambda raw: dateparser.parse(raw)


def dateparser_tuned(base: datetime) -> Parser:
    """dateparser with the two languages, the zone, the base and a day and month required."""
    dateparser = importlib.import_module("dateparser")
    settings = {
        "RELATIVE_BASE": base.replace(tzinfo=None),
        "TIMEZONE": "Asia/Shanghai",
        "PREFER_DATES_FROM": "past",
        "REQUIRE_PARTS": ["day", "month"],
    }
    return lambda raw: dateparser.parse(raw, languages=["zh", "zh-Hant", "en"], settings=settings)


def dateutil_fuzzy(base: datetime) -> Parser:
    """dateutil, told to skip what it doesn't know."""
    parser = importlib.import_module("dateutil.parser")
    default = base.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def parse(raw: str) -> Moment:
        with contextlib.suppress(ValueError, OverflowError):
            moment: datetime = parser.parse(raw, fuzzy=True, default=default)
            return moment
        return None

    return parse


def htmldate_page(base: datetime) -> Parser:
    """htmldate on a page that holds the string alone; it gives days only."""
    htmldate = importlib.import_module("htmldate")
    latest = f"{base.year + 1}-12-31"

    def parse(raw: str) -> Moment:
        page = f"<html><body><p class='date'>{raw}</p></body></html>"
        found = htmldate.find_date(page, max_date=latest, original_date=True)
        return date.fromisoformat(found) if found else None

    return parse


def jionlp_time(base: datetime) -> Parser:
    """jionlp's parse_time; spans count as their first moment."""
    with contextlib.redirect_stdout(io.StringIO()):
        jionlp = importlib.import_module("jionlp")

    def parse(raw: str) -> Moment:
        try:
            found = jionlp.parse_time(raw, time_base=base.timestamp())
        except Exception:  # noqa: BLE001  # it raises whatever its rules run into
            return None
        times = found.get("time") if found.get("type") in ("time_point", "time_span") else None
        if not times:
            return None
        with contextlib.suppress(ValueError):
            moment = datetime.fromisoformat(times[0])
            return moment if moment.time() != datetime.min.time() else moment.date()
        return None

    return parse


PARSERS: dict[str, Callable[[datetime], Parser]] = {
    "iprwatch": our_parser,
    "dateparser": dateparser_defaults,
    "dateparser, zh+en": dateparser_tuned,
    "dateutil, fuzzy": dateutil_fuzzy,
    "htmldate": htmldate_page,
    "jionlp": jionlp_time,
}


def score(parse: Parser, cases: list[Case]) -> Score:
    """Judge `parse` on every case, then time it on all of them."""
    result = Score()
    for case in cases:
        found = parse(case.raw)
        if case.expected is None:
            result.invented += found is not None
        elif found is None:
            result.missed += 1
        elif _day(found, case.expected) == _day(case.expected, found):
            result.right += 1
            result.clock += _same_minute(found, case.expected)
        else:
            result.wrong += 1
    times = [_microseconds(parse, case.raw) for case in cases]
    result.mean, result.median = statistics.fmean(times), statistics.median(times)
    result.common = statistics.fmean(_microseconds(parse, raw) for raw in COMMON)
    return result


def _microseconds(parse: Parser, raw: str) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        parse(raw)
        times.append(time.perf_counter() - started)
    return min(times) * 1e6


def _day(moment: date, other: date) -> date:
    """The day as printed; in China where both moments have a zone, so that one instant is one day."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo and isinstance(other, datetime) and other.tzinfo:
        return moment.astimezone(SHANGHAI).date()
    return moment.date()


def _same_minute(found: date, expected: date) -> bool:
    if not isinstance(found, datetime) or not isinstance(expected, datetime):
        return False
    if found.tzinfo and expected.tzinfo:
        return abs((found - expected).total_seconds()) < 60
    return (found.hour, found.minute) == (expected.hour, expected.minute)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    console = Console(width=110)
    base, cases = load_cases()
    dated = sum(case.expected is not None for case in cases)
    clocks = sum(isinstance(case.expected, datetime) for case in cases)
    title = f"{len(cases)} strings: {dated} dates ({clocks} with a clock), {len(cases) - dated} to refuse"
    table = Table(title=title)
    for column in (
        "parser",
        "right",
        "wrong",
        "missed",
        "clock",
        "invented",
        "µs common",
        "µs median",
        "ratio",
        "µs mean",
    ):
        table.add_column(column, justify="left" if column == "parser" else "right")
    ours = 0.0
    for name, build in PARSERS.items():
        try:
            parse = build(base)
        except ImportError as error:
            console.print(f"{name}: skipped, {error.name} is not installed (pip install iprwatch[bench])")
            continue
        result = score(parse, cases)
        ours = ours or result.median
        counts = (result.right, result.wrong, result.missed, result.clock, result.invented)
        cost = (
            f"{result.common:.1f}",
            f"{result.median:.1f}",
            f"{result.median / ours:.1f}",
            f"{result.mean:.1f}",
        )
        table.add_row(name, *map(str, counts), *cost)
    console.print(table)


if __name__ == "__main__":
    main()
