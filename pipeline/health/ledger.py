"""Judges runs: every run row gets its verdict, every day its row, and people are told in the same transaction.

It works from run rows alone, so it makes no difference which process judges, or how often one tries: a run is judged
once, whoever comes first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update

from pipeline.alerts.operators import put_alert
from pipeline.alerts.rules import Recipient
from pipeline.dates import SHANGHAI
from pipeline.health.coverage import measure
from pipeline.health.standing import Standing, Told
from pipeline.health.verdict import (
    CHANGED,
    EXPIRED,
    NEW,
    NOT_JUDGED,
    NOT_RUN,
    WELL,
    History,
    RunFacts,
    Verdict,
    judge_run,
)
from pipeline.store.health_tables import DayVerdict, SourceHealth
from pipeline.store.runs import RUNNING
from pipeline.store.tables import Filtered, Item, Run, Snapshot
from pipeline.store.unread import say_unread, select_unread
from pipeline.store.write import insert_ignoring

REMEMBERED = timedelta(days=400)
_RUNS = 200  # of a source that are looked back at for its layout


@dataclass(frozen=True, slots=True)
class Watched:
    """What health must know of a source. `next_after` gives the first time after a moment at which it is to be
    crawled, None when there is none; `has_rhythm` is false where people decide when something comes."""

    key: str
    name: str
    publisher: str
    next_after: Callable[[datetime], datetime | None]
    has_rhythm: bool = True


@dataclass(frozen=True, slots=True)
class Alarm:
    """Who is told of a source that turns bad and of its recovery, and after how many runs in a row."""

    recipients: tuple[Recipient, ...] = ()
    after: int = 2


def judge_runs(
    engine: Engine, watched: Mapping[str, Watched], alarm: Alarm, muted: Iterable[str] = ()
) -> int:
    """Judge every closed run of these sources that has no verdict yet, oldest first; returns how many there were."""
    quiet = set(muted)
    query = (
        select(Run.id, Run.source_key)
        .where(Run.verdict.is_(None), Run.state != RUNNING, Run.source_key.in_(list(watched)))
        .order_by(Run.id)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        waiting = connection.execute(query).all()
    judged = 0
    for run_id, key in waiting:
        with engine.begin() as connection:
            judged += _judge(connection, run_id, watched[key], watched, alarm, key in quiet)
    return judged


def note_not_run(
    engine: Engine,
    source: Watched,
    missed: int,
    now: datetime,
    alarm: Alarm,
    *,
    muted: bool = False,
) -> None:
    """Note that a source was to be crawled `missed` times since it was last and wasn't."""
    day = now.astimezone(SHANGHAI).date()
    why = f"It was to be crawled {missed} times since its last crawl, and was not."
    with engine.begin() as connection:
        number, standing = _lock(connection, source.key, day)
        if _said_today(connection, source.key, day) == NOT_RUN and standing.bad_runs >= missed:
            return
        verdict = Verdict(NOT_RUN, None, why)
        _note_day(connection, source.key, day, verdict, None, {})
        # Its crawls didn't fail, there were none: their number stands for that of bad runs.
        standing = dataclasses.replace(standing, bad_runs=max(standing.bad_runs, missed - 1))
        standing, told = standing.after(verdict, day, alarm_after=alarm.after, muted=muted)
        _tell(connection, source, number, standing, told, verdict, alarm, {})


def _judge(
    connection: Connection,
    run_id: int,
    source: Watched,
    watched: Mapping[str, Watched],
    alarm: Alarm,
    muted: bool,
) -> bool:
    row: Any = connection.execute(select(Run).where(Run.id == run_id).with_for_update()).one()
    if row.verdict is not None:
        return False  # another process was first
    run = RunFacts(
        run_id=run_id,
        day=row.started_at.astimezone(SHANGHAI).date(),
        finished=row.finished_at is not None,
        state=row.state,
        reason=row.reason,
        counts=row.counts,
        coverage=row.coverage or {},
        refusal=row.refusal,
        baseline=row.baseline,
    )
    number, standing = _lock(connection, source.key, run.day)
    siblings = [other.key for other in watched.values() if other.publisher == source.publisher]
    verdict = judge_run(run, _read_history(connection, run, source, standing, siblings))
    said = verdict.name if verdict else NOT_JUDGED
    connection.execute(update(Run).where(Run.id == run_id).values(verdict=said))
    if verdict is not None:
        evidence = _gather_evidence(connection, run)
        _note_day(connection, source.key, run.day, verdict, run, evidence)
        # A session that ends is told once, as it ends, for all the sources that it is used for.
        muted = muted or verdict.name == EXPIRED
        standing, told = standing.after(
            verdict, run.day, alarm_after=alarm.after, muted=muted, run_id=run.run_id
        )
        _tell(connection, source, number, standing, told, verdict, alarm, evidence)
    return True


def _lock(connection: Connection, key: str, day: date) -> tuple[int, Standing]:
    """How a source stands, and under which number; the row is held until the transaction ends."""
    fresh = {"source_key": key, **dataclasses.asdict(Standing(since_on=day))}
    insert_ignoring(connection, SourceHealth, [fresh])
    columns = (getattr(SourceHealth, field.name) for field in dataclasses.fields(Standing))
    query = select(SourceHealth.id, *columns).where(SourceHealth.source_key == key).with_for_update()
    number, *values = connection.execute(query).one()
    return number, Standing(*values)


def _read_history(
    connection: Connection, run: RunFacts, source: Watched, standing: Standing, siblings: list[str]
) -> History:
    earlier = connection.execute(
        select(Run.counts, Run.coverage, Run.verdict)
        .where(Run.source_key == source.key, Run.id < run.run_id, Run.verdict.in_((*WELL, CHANGED)))
        .where(Run.id >= (standing.compared_from or 0))
        .order_by(Run.id.desc())
        .limit(_RUNS)
    ).all()
    alike = [
        row.counts
        for row in earlier
        if row.verdict in WELL
        and dataclasses.replace(run, counts=row.counts).is_whole
        and row.counts.get("list_pages") == run.counts.get("list_pages")
    ]
    return History(
        news_days=_read_news_days(connection, source.key, run.day),
        list_lengths=[counts.get("links", 0) for counts in alike],
        coverage=measure((row.verdict in WELL, row.coverage or {}) for row in reversed(earlier)),
        before=(standing.verdict, standing.kind),
        same_runs=standing.same_runs,
        sibling=_find_moving_sibling(connection, source.key, siblings, run.day),
        has_rhythm=source.has_rhythm,
        unread=_describe_unread(connection, source.key) if run.lacks_only_unreadable else "",
    )


def _describe_unread(connection: Connection, key: str) -> str:
    alone = [article for article in select_unread(connection, key) if article.stands_alone]
    return f"{say_unread(alone)}." if alone else ""


def _read_news_days(connection: Connection, key: str, until: date) -> list[date]:
    """Days on which the list moved; before it was watched, the days of publication of what it showed at first."""
    since = until - REMEMBERED
    seen = select(DayVerdict.day).where(
        DayVerdict.source_key == key, DayVerdict.moved, DayVerdict.day > since, DayVerdict.day <= until
    )
    days = set(connection.scalars(seen))
    first = connection.scalar(select(func.min(DayVerdict.day)).where(DayVerdict.source_key == key)) or until
    for table in (Item, Filtered):
        printed = (
            select(table.published_on)
            .where(table.source_key == key, table.published_on > since, table.published_on < first)
            .distinct()
        )
        days.update(day for day in connection.scalars(printed) if day is not None)
    return sorted(days)


def _find_moving_sibling(
    connection: Connection, key: str, siblings: list[str], until: date
) -> tuple[str, date] | None:
    newest = func.max(DayVerdict.day)
    row = connection.execute(
        select(DayVerdict.source_key, newest)
        .where(DayVerdict.source_key.in_([other for other in siblings if other != key]))
        .where(DayVerdict.moved, DayVerdict.day <= until)
        .group_by(DayVerdict.source_key)
        .order_by(newest.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else None


def _gather_evidence(connection: Connection, run: RunFacts) -> dict[str, Any]:
    """What was looked for and found, and the saved page that shows it: the refused one, else the newest of the run."""
    evidence = dict(run.refusal or {})
    if run.reason:
        evidence["reason"] = run.reason
    if "sha256" not in evidence:
        saved = select(Snapshot.sha256, Snapshot.url).where(Snapshot.run_id == run.run_id)
        if (page := connection.execute(saved.order_by(Snapshot.id.desc()).limit(1)).first()) is not None:
            evidence |= {"sha256": page.sha256, "url": page.url}
    return evidence


def _said_today(connection: Connection, key: str, day: date) -> str | None:
    query = select(DayVerdict.verdict).where(DayVerdict.source_key == key, DayVerdict.day == day)
    return connection.scalar(query)


def _note_day(
    connection: Connection,
    key: str,
    day: date,
    verdict: Verdict,
    run: RunFacts | None,
    evidence: Mapping[str, Any],
) -> None:
    start = {
        "source_key": key, "day": day, "verdict": "", "kind": None, "why": "", "heard": False,
        "moved": False, "runs": 0, "new": 0, "edited": 0, "run_id": None, "evidence": {},
        "judged_at": datetime.now(UTC),
    }  # fmt: skip
    insert_ignoring(connection, DayVerdict, [start])
    this = (DayVerdict.source_key == key, DayVerdict.day == day)
    before: Any = connection.execute(select(DayVerdict.verdict).where(*this).with_for_update()).one()
    values: dict[str, Any] = {"judged_at": datetime.now(UTC)}
    # News of the morning are still the day's news when the evening is quiet.
    if not (verdict.is_well and before.verdict == NEW):
        values |= {
            "verdict": verdict.name, "kind": verdict.kind, "why": verdict.why, "evidence": dict(evidence),
            "run_id": run.run_id if run else None,
        }  # fmt: skip
    if run is not None:
        # What a source shows at first, and what its archive holds, is no news.
        new = 0 if run.baseline or run.walks else run.counts.get("new", 0)
        values |= {
            "runs": DayVerdict.runs + 1,
            "new": DayVerdict.new + new,
            "edited": DayVerdict.edited + run.counts.get("edited", 0),
        }
        values |= {"heard": True} if run.heard else {}
        values |= {"moved": True} if run.moved else {}
    connection.execute(update(DayVerdict).where(*this).values(values))


def _tell(
    connection: Connection,
    source: Watched,
    number: int,
    standing: Standing,
    told: Told | None,
    verdict: Verdict,
    alarm: Alarm,
    evidence: Mapping[str, Any],
) -> None:
    """Write how a source stands now, and the alert of it."""
    values = dataclasses.asdict(standing)
    connection.execute(update(SourceHealth).where(SourceHealth.id == number).values(values))
    if told is None:
        return
    if told == "recovered":
        title, summary = f"{source.key} is well again", f"{source.name}. {verdict.why}".strip()
        lines: list[str] = []
    else:
        title, summary, lines = _describe_trouble(source, verdict, standing.bad_runs, evidence)
    event = f"{told} {number}.{standing.troubles}"
    put_alert(connection, alarm.recipients, event, title, summary, lines=lines)


def _describe_trouble(
    source: Watched, verdict: Verdict, bad_runs: int, evidence: Mapping[str, Any]
) -> tuple[str, str, list[str]]:
    shown = f"{verdict.name} ({verdict.kind})" if verdict.kind else verdict.name
    lines = [f"not well in {bad_runs} runs in a row"] if verdict.name != NOT_RUN else []
    for name, words in (
        ("looked_for", "looked for"),
        ("found", "found"),
        ("redirected_from", "redirected from"),
        ("url", "page"),
        ("sha256", "saved as"),
    ):
        if evidence.get(name):
            lines.append(f"{words}: {evidence[name]}")
    return f"{source.key}: {shown}", f"{source.name}. {verdict.why}".strip(), lines
