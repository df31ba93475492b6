"""The ledger of verdicts: each run judged once, each day one row, each trouble told once, each recovery too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from pipeline.alerts.outbox import deliver
from pipeline.alerts.ping import PING
from pipeline.alerts.rules import Recipient
from pipeline.dates import SHANGHAI
from pipeline.health.ledger import Alarm, Watched, judge_runs, note_not_run
from pipeline.health.metrics import MetricsError, show_metrics, write_metrics
from pipeline.health.mutes import mute_source
from pipeline.health.status import SourceStatus, count_missed, read_status
from pipeline.health.summary import (
    day_to_report,
    is_reported,
    ping_when_delivered,
    post_summary,
    write_summary,
)
from pipeline.store.health_tables import DayVerdict
from pipeline.store.tables import Delivery, Run, Snapshot

KEY = "court_example"
FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
ALARM = Alarm((Recipient(channel="log"),), after=2)
SHA = "ab" * 32


def hourly(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def never(_moment: datetime) -> None:
    return None


def watched(key: str = KEY, next_after: Any = never) -> dict[str, Watched]:
    return {key: Watched(key, "例 (Example)", "某院", next_after)}


def close_run(
    engine: Engine, state: str = "ok", *, key: str = KEY, at: datetime = NOON, **changes: Any
) -> int:
    """A run row as a crawl leaves it; returns its number."""
    row = {
        "source_key": key, "started_at": at, "finished_at": at, "list_read_at": at if state == "ok" else None,
        "state": state, "reason": None if state == "ok" else "it said no", "baseline": False,
        "counts": {"list_pages": 1, "links": 20} if state == "ok" else {},
        "coverage": None, "refusal": None, "verdict": None,
    }  # fmt: skip
    with engine.begin() as connection:
        return connection.execute(insert(Run).values(row | changes).returning(Run.id)).scalar_one()


def judge(engine: Engine, muted: tuple[str, ...] = (), keys: Mapping[str, Watched] | None = None) -> int:
    return judge_runs(engine, keys or watched(), ALARM, muted)


def told(engine: Engine) -> list[dict[str, Any]]:
    """The alerts in the outbox, oldest first."""
    with engine.connect() as connection:
        query = select(Delivery.text).order_by(Delivery.created_at, Delivery.id)
        return [text for text in connection.scalars(query) if text is not None]


def titles(engine: Engine) -> list[str]:
    return [text["title"] for text in told(engine)]


def days(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(DayVerdict.__table__).order_by(DayVerdict.day)).all())


def status(engine: Engine, now: datetime = NOON, source: Mapping[str, Watched] | None = None) -> SourceStatus:
    (one,) = read_status(engine, (source or watched()).values(), now)
    return one


def test_a_run_is_judged_once_and_one_that_goes_on_is_not(engine: Engine) -> None:
    close_run(engine)
    close_run(engine, "running", finished_at=None)
    assert judge(engine) == 1
    assert judge(engine) == 0
    with engine.connect() as connection:
        assert connection.scalars(select(Run.verdict).order_by(Run.id)).all() == ["quiet as usual", None]


def test_a_day_has_one_verdict_that_keeps_the_news_of_its_morning(engine: Engine) -> None:
    news = {"list_pages": 1, "links": 20, "new": 2, "fresh": 2}
    close_run(engine, counts=news, at=NOON - timedelta(hours=4))
    close_run(engine)
    judge(engine)
    (row,) = days(engine)
    assert (row.day, row.verdict, row.runs, row.new, row.heard, row.moved) == (
        FRIDAY,
        "new",
        2,
        2,
        True,
        True,
    )
    close_run(engine, "down")
    judge(engine)
    (row,) = days(engine)
    assert (row.verdict, row.new, row.heard, row.why) == ("down", 2, True, "it said no")


def test_a_day_is_one_in_china(engine: Engine) -> None:
    close_run(engine, at=datetime(2026, 11, 19, 20, 0, tzinfo=UTC))
    judge(engine)
    assert [row.day for row in days(engine)] == [FRIDAY]


def test_what_a_source_shows_at_first_is_no_news_of_that_day(engine: Engine) -> None:
    close_run(engine, baseline=True, counts={"list_pages": 1, "links": 20, "new": 20, "fresh": 20})
    judge(engine)
    (row,) = days(engine)
    assert (row.new, row.moved, row.heard) == (0, False, True)


# --- Who is told ---


def test_a_source_that_turns_bad_is_told_once_after_so_many_runs_with_its_evidence(engine: Engine) -> None:
    refusal = {"looked_for": "at least 5 entries", "found": "0", "url": "https://x.cn/list", "sha256": SHA}
    close_run(engine, "changed", refusal=refusal)
    judge(engine)
    assert told(engine) == []
    for _ in range(3):
        close_run(engine, "changed", refusal=refusal)
        judge(engine)
    (text,) = told(engine)
    assert text["title"] == "court_example: layout changed (list)"
    assert "it said no" in text["summary"]
    assert "looked for: at least 5 entries" in text["lines"]
    assert "found: 0" in text["lines"]
    assert f"saved as: {SHA}" in text["lines"]


def test_its_recovery_is_told_once_and_the_next_trouble_anew(engine: Engine) -> None:
    for state in ("down", "down", "ok", "ok", "down", "blocked", "blocked", "ok"):
        close_run(engine, state)
        judge(engine)
    assert titles(engine) == [
        "court_example: down", "court_example is well again", "court_example: blocked", "court_example is well again",
    ]  # fmt: skip


def test_a_single_bad_run_is_told_to_nobody(engine: Engine) -> None:
    for state in ("down", "ok", "down", "ok"):
        close_run(engine, state)
    assert judge(engine) == 4
    assert told(engine) == []


def test_a_muted_source_is_told_when_its_mute_is_over_if_it_is_still_unwell(engine: Engine) -> None:
    for _ in range(3):
        close_run(engine, "down")
    judge(engine, muted=(KEY,))
    assert told(engine) == []
    close_run(engine, "down")
    judge(engine)
    assert titles(engine) == ["court_example: down"]


def test_an_emptied_field_counts_only_in_runs_that_have_items(engine: Engine) -> None:
    full = {"items": 30, "date": 30, "body": 30, "publisher": 30, "author": 0}
    empty = full | {"items": 1, "date": 0, "body": 1, "publisher": 1}
    news = {"list_pages": 1, "links": 20, "new": 1, "fresh": 1}
    close_run(engine, counts=news, coverage=full)
    close_run(engine, counts=news, coverage=empty)
    close_run(engine)
    close_run(engine)
    judge(engine)
    assert told(engine) == []
    assert status(engine).shown == "layout changed (field date)"
    close_run(engine, counts=news, coverage=empty)
    judge(engine)
    assert titles(engine) == ["court_example: layout changed (field date)"]


def test_the_saved_page_is_found_where_the_run_kept_no_refusal(engine: Engine) -> None:
    for _ in range(2):
        run_id = close_run(engine, "incomplete", counts={"list_pages": 1, "links": 9})
        with engine.begin() as connection:
            connection.execute(
                insert(Snapshot).values(
                    sha256=SHA, url="https://x.cn/1", source_key=KEY, kind="changed", status=200, headers={},
                    entry=None, detail=None, fetched_at=NOON, run_id=run_id,
                )
            )  # fmt: skip
    judge(engine)
    assert f"saved as: {SHA}" in told(engine)[0]["lines"]


# --- Not run ---


def test_a_source_is_missed_three_hours_after_its_time(engine: Engine) -> None:
    source = watched(next_after=hourly)[KEY]
    assert count_missed(source, NOON, NOON + timedelta(hours=3, minutes=59)) == 0
    assert count_missed(source, NOON, NOON + timedelta(hours=6)) == 3
    assert count_missed(source, None, NOON) == 0
    assert count_missed(watched()[KEY], NOON, NOON + timedelta(days=30)) == 0


def test_a_source_that_is_not_run_is_told_once_and_its_recovery_too(engine: Engine) -> None:
    source = watched()[KEY]
    note_not_run(engine, source, 1, NOON, ALARM)
    assert told(engine) == []
    for missed in (2, 2, 3):
        note_not_run(engine, source, missed, NOON, ALARM)
    assert titles(engine) == ["court_example: not run"]
    assert [row.verdict for row in days(engine)] == ["not run"]
    close_run(engine)
    judge(engine)
    assert titles(engine)[-1] == "court_example is well again"


def test_every_trouble_of_not_being_run_is_told(engine: Engine) -> None:
    source = watched()[KEY]
    for _ in range(2):
        note_not_run(engine, source, 5, NOON, ALARM)
        close_run(engine)
        judge(engine)
    assert titles(engine) == ["court_example: not run", "court_example is well again"] * 2


def test_a_list_cut_off_is_held_against_lists_of_as_many_pages(engine: Engine) -> None:
    for _ in range(6):
        close_run(engine, counts={"list_pages": 2, "links": 40})
    close_run(engine, counts={"list_pages": 1, "links": 15})
    close_run(engine, counts={"list_pages": 2, "links": 15})
    judge(engine)
    with engine.connect() as connection:
        verdicts = list(connection.scalars(select(Run.verdict).order_by(Run.id)))
    assert verdicts[-2:] == ["quiet as usual", "layout changed"]


def test_a_shorter_list_is_the_new_measure_once_it_was_accepted(engine: Engine) -> None:
    for _ in range(6):
        close_run(engine)
    for _ in range(22):
        close_run(engine, counts={"list_pages": 1, "links": 8})
    judge(engine)
    assert status(engine).is_well
    assert titles(engine) == ["court_example: layout changed (short list)", "court_example is well again"]
    assert told(engine)[1]["summary"].endswith("it never showed fewer than 20.")


def test_what_an_archive_holds_is_no_news_of_the_day(engine: Engine) -> None:
    close_run(engine, counts={"list_pages": 9, "links": 180, "new": 150, "fresh": 0, "walked pages": 9})
    judge(engine)
    (row,) = days(engine)
    assert (row.new, row.moved) == (0, False)


# --- Status and summary ---


def test_the_status_shows_thirty_days_in_one_line(engine: Engine) -> None:
    news = {"list_pages": 1, "links": 20, "fresh": 3}
    close_run(engine, at=NOON - timedelta(days=4), counts=news | {"new": 1})
    close_run(engine, at=NOON - timedelta(days=3), counts=news | {"new": 9})
    close_run(engine, at=NOON - timedelta(days=2))
    close_run(engine, "down", at=NOON - timedelta(days=1))
    judge(engine)
    note_not_run(engine, watched()[KEY], 1, NOON, ALARM)
    one = status(engine)
    assert one.sparkline(FRIDAY) == "·" * 25 + "▂█▁!?"
    assert (one.is_well, one.is_green, one.since) == (False, False, FRIDAY)
    mute_source(engine, KEY, FRIDAY, "known", today=FRIDAY)
    assert status(engine).is_green


def test_a_source_that_was_never_crawled_is_not_called_well(engine: Engine) -> None:
    one = status(engine)
    assert (one.shown, one.is_well, one.verdict) == ("not judged yet", False, None)


def test_a_source_whose_runs_all_said_nothing_is_not_called_well(engine: Engine) -> None:
    close_run(engine, "not recorded")
    assert judge(engine) == 1
    one = status(engine)
    assert (one.shown, one.is_well, one.since) == ("not judged yet", False, None)


def test_the_summary_counts_who_was_heard_and_names_who_was_not(engine: Engine) -> None:
    sources = watched() | watched("court_other") | watched("court_idle")
    close_run(engine, counts={"list_pages": 1, "links": 20, "new": 3, "fresh": 3})
    close_run(engine, "down", key="court_other")
    judge(engine, keys=sources)
    summary = write_summary(read_status(engine, sources.values(), NOON), FRIDAY)
    assert summary.title == "1 of 2 sources heard, 3 new"
    assert summary.lines == ("court_other: down since 2026-11-20: it said no",)
    mute_source(engine, "court_other", FRIDAY, "moving house", today=FRIDAY)
    (line,) = write_summary(read_status(engine, sources.values(), NOON), FRIDAY).lines
    assert line == "court_other: down since 2026-11-20, muted until 2026-11-20 (moving house)"


def test_a_day_on_which_nothing_was_due_is_said_too(engine: Engine) -> None:
    assert write_summary(read_status(engine, watched().values(), NOON), FRIDAY).title == "no source was due"


class Log:
    """A channel that takes or refuses everything."""

    kind = "log"
    pace = None

    def __init__(self, name: str, *, ok: bool = True) -> None:
        self.name = name
        self.ok = ok
        self.taken: list[str] = []

    def send(self, message: Any, _recipient: str) -> Any:
        from pipeline.alerts.message import Receipt

        self.taken.append(message.title)
        return Receipt(ok=self.ok, retry=True, detail="")


def test_the_summary_goes_out_once_at_its_time_and_the_switch_is_pinged_once_it_was_delivered(
    engine: Engine,
) -> None:
    close_run(engine)
    judge(engine)
    statuses = read_status(engine, watched().values(), NOON)
    at = timedelta(hours=18, minutes=30)
    evening = NOON + timedelta(hours=7)
    operators = ALARM.recipients
    assert day_to_report(NOON, at) == FRIDAY - timedelta(days=1)
    assert day_to_report(evening, at) == FRIDAY
    assert not is_reported(engine, FRIDAY)
    for _ in range(2):
        post_summary(engine, operators, statuses, FRIDAY)
    assert is_reported(engine, FRIDAY)
    deaf, log, switch = Log("log", ok=False), Log("log"), Log(PING)
    ping_when_delivered(engine, FRIDAY)
    deliver(engine, {"log": deaf, PING: switch})
    ping_when_delivered(engine, FRIDAY)
    deliver(engine, {"log": deaf, PING: switch})
    assert switch.taken == []
    with engine.begin() as connection:
        connection.execute(Delivery.__table__.update().values(next_at=NOON))
    deliver(engine, {"log": log, PING: switch})
    assert log.taken == ["iprwatch 2026-11-20: 1 of 1 sources heard, 0 new"]
    for _ in range(2):
        ping_when_delivered(engine, FRIDAY)
        deliver(engine, {"log": log, PING: switch})
    assert len(switch.taken) == 1


def test_metrics_are_written_whole_and_name_every_source(engine: Engine, tmp_path: Path) -> None:
    close_run(engine, "blocked")
    judge(engine)
    statuses = read_status(engine, watched().values(), NOON)
    write_metrics(tmp_path / "iprwatch.prom", statuses)
    text = (tmp_path / "iprwatch.prom").read_text("utf-8")
    assert text.encode() == show_metrics(statuses)
    assert 'iprwatch_source_verdict{source="court_example",verdict="blocked"} 1.0' in text
    assert 'iprwatch_source_well{source="court_example"} 0.0' in text
    with pytest.raises(MetricsError, match="can't be written"):
        write_metrics(tmp_path / "none" / "iprwatch.prom", statuses)


def test_evidence_is_kept_as_json(engine: Engine) -> None:
    close_run(engine, "blocked", refusal={"kind": "http 412", "found": "$_ts"})
    judge(engine)
    assert json.loads(json.dumps(days(engine)[0].evidence))["found"] == "$_ts"
