"""The main job from list to alert on the recorded samples, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crawlers.archive import Archive
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery, Item, Run, Snapshot, Version
from tests.command import Ran, iprwatch, start

COURT = "court_spc_interpretations"
# No file may grow beyond this.
SMALL_DISK = "from resource import *; setrlimit(RLIMIT_FSIZE, ({kilobytes} * 1024,) * 2)"


def rows(office: Path, query: Any) -> list[Any]:
    engine = open_engine(f"sqlite:///{office / 'data' / 'iprwatch.db'}", create=False)
    with engine.connect() as connection:
        found = list(connection.execute(query).all())
    engine.dispose()
    return found


def alerts(office: Path) -> list[dict[str, Any]]:
    path = office / "alerts.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def states(ran: Any) -> dict[str, str]:
    return {source["key"]: source["state"] for source in ran.json["sources"]}


def test_every_listed_article_is_accounted_for(crawled: tuple[Path, Ran]) -> None:
    office, ran = crawled
    assert ran.code == 0, ran.err
    for source in ran.json["sources"]:
        counts = source["counts"]
        endings = ("new", "edited", "known", "filtered", "gone", "not recorded")
        assert counts.get("asked", 0) == sum(counts.get(ending, 0) for ending in endings), source
        assert counts.get("links", 0) == counts.get("asked", 0) + counts.get("known links", 0), source
    stored = sum(source["counts"].get("new", 0) for source in ran.json["sources"])
    assert stored == len(rows(office, select(Item.id))) == len(ran.json["new"]) > 20


def test_the_first_crawl_is_a_baseline_without_alerts(crawled: tuple[Path, Ran]) -> None:
    office, ran = crawled
    assert ran.json["new"]
    assert ran.json["alerts"] == {"sent": [], "waiting": [], "failed": []}
    assert alerts(office) == []


def test_a_baseline_alerts_when_asked_and_a_second_crawl_finds_nothing_new(office: Path) -> None:
    first = iprwatch("crawl", "--replay", "web", "--alert-baseline", "--json", cwd=office)
    told = alerts(office)
    assert len(told) == len(first.json["alerts"]["sent"]) > 5
    assert all("商标" in alert["title"] + alert["summary"] or alert["facts"] for alert in told)
    second = iprwatch("crawl", "--replay", "web", "--alert-baseline", cwd=office)
    assert second.code == 0
    assert "Nothing new, no alert." in second.out
    assert alerts(office) == told


def test_only_what_appears_after_the_baseline_is_alerted(office: Path) -> None:
    page = office / "web/court_gov/list_16/page.html"
    whole = page.read_text("utf-8")
    row = re.search(r"<li>\s*<a [^>]*/512961\.html.*?</li>", whole, re.S)
    assert row is not None
    page.write_text(whole.replace(row[0], ""), encoding="utf-8")
    iprwatch("crawl", COURT, "--replay", "web", cwd=office)
    assert alerts(office) == []
    page.write_text(whole, encoding="utf-8")
    ran = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    assert [new["url"] for new in ran.json["new"]] == ["https://www.court.gov.cn/fabu/xiangqing/512961.html"]
    assert [alert["url"] for alert in alerts(office)] == [new["url"] for new in ran.json["new"]]


def test_an_article_of_the_baseline_that_failed_at_first_is_no_alert_later(office: Path) -> None:
    page = office / "web/court_gov/article_512961/page.html"
    whole = page.read_bytes()
    page.write_bytes(b"<html><body>moved</body></html>")
    first = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    assert (first.code, states(first)[COURT]) == (1, "incomplete")
    page.write_bytes(whole)
    second = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    assert (second.code, len(second.json["new"])) == (0, 1)
    assert alerts(office) == []


def test_a_site_that_changed_stops_no_other_and_is_named(office: Path) -> None:
    (office / "web/cnipa/records_74/page.xml").write_text("<html><h1>维护中</h1></html>", encoding="utf-8")
    ran = iprwatch("crawl", "--replay", "web", "--json", cwd=office)
    found = states(ran)
    assert ran.code == 1
    assert found["cnipa_announcements"] == "changed"
    assert {state for key, state in found.items() if key != "cnipa_announcements"} == {"ok", "not recorded"}
    reason = next(s["reason"] for s in ran.json["sources"] if s["key"] == "cnipa_announcements")
    assert "looked for" in reason
    assert "columnid=74" in reason


def test_a_list_that_shrank_below_its_least_is_not_believed(office: Path) -> None:
    page = office / "web/court_gov/list_16/page.html"
    text = page.read_text("utf-8")
    items = re.findall(r"<li>\s*<a title=.*?</li>", text, re.S)
    for item in items[2:]:
        text = text.replace(item, "")
    page.write_text(text, encoding="utf-8")
    ran = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    assert (ran.code, states(ran)[COURT]) == (1, "changed")
    assert rows(office, select(Item.id)) == []


def test_a_refused_list_is_kept_as_evidence_never_as_content(office: Path) -> None:
    note = office / "web/court_gov/list_16/page.json"
    stated = json.loads(note.read_text("utf-8"))
    note.write_text(json.dumps({**stated, "status": 412}), encoding="utf-8")
    ran = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    assert (ran.code, states(ran)[COURT]) == (1, "blocked")
    ((kind, sha256, status),) = rows(office, select(Snapshot.kind, Snapshot.sha256, Snapshot.status))
    assert (kind, status) == ("blocked", 412)
    served = (office / "web/court_gov/list_16/page.html").read_bytes()
    assert Archive(office / "data/archive").open_page(sha256) == served
    assert rows(office, select(Item.id)) == []


def test_a_tombstone_is_counted_kept_and_not_asked_for_again(office: Path) -> None:
    first = iprwatch("crawl", "wechat_example", "--replay", "web", "--json", cwd=office)
    assert first.json["sources"][0]["counts"]["gone"] == 1
    assert ("deleted",) in [tuple(row) for row in rows(office, select(Snapshot.kind))]
    second = iprwatch("crawl", "wechat_example", "--replay", "web", "--json", cwd=office)
    counts = second.json["sources"][0]["counts"]
    assert (counts.get("gone", 0), counts["asked"]) == (0, counts["not recorded"])


def test_one_id_in_two_columns_is_one_item(office: Path) -> None:
    ran = iprwatch("crawl", "cnipa_news", "cnipa_work", "--replay", "web", "--json", cwd=office)
    assert ran.code == 0
    identities = [row.identity for row in rows(office, select(Item.identity))]
    assert "cnipa:209420" in identities
    assert len(identities) == len(set(identities))


def test_since_takes_nothing_older(office: Path) -> None:
    ran = iprwatch("crawl", COURT, "--replay", "web", "--since", "2026-11-18", "--json", cwd=office)
    counts = ran.json["sources"][0]["counts"]
    assert counts["older"] > 0
    assert ran.json["new"]
    assert all(new["published_on"] >= "2026-11-18" for new in ran.json["new"])


def test_a_run_row_says_what_the_command_says(office: Path) -> None:
    ran = iprwatch("crawl", COURT, "--replay", "web", "--json", cwd=office)
    (run,) = rows(office, select(Run))
    said = ran.json["sources"][0]
    assert (run.source_key, run.state, run.counts, run.baseline) == (COURT, "ok", said["counts"], True)
    assert run.finished_at is not None
    assert run.list_read_at is not None


def test_alerts_left_in_the_outbox_are_sent_by_the_command_for_it(office: Path) -> None:
    iprwatch("crawl", COURT, "--replay", "web", "--alert-baseline", "--no-send", cwd=office)
    assert alerts(office) == []
    due = rows(office, select(func.count()).select_from(Delivery).where(Delivery.state == "due"))[0][0]
    ran = iprwatch("alerts", "send", "--json", cwd=office)
    assert len(ran.json["sent"]) == len(alerts(office)) == due > 0
    listed = iprwatch("alerts", "list", "--json", cwd=office).json
    assert {row["state"] for row in listed} == {"sent"}


def stored_items(office: Path) -> int:
    """How many a crawl that may be under way has stored; -1 before there is a database."""
    file = office / "data" / "iprwatch.db"
    if not file.exists():
        return -1
    with closing(sqlite3.connect(file)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM item").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are being made
            return -1


def test_a_crawl_that_is_killed_is_completed_by_the_next(office: Path) -> None:
    codes = []
    # As soon as there is a database, then with ever more items.
    for more in (0, 1, 5, 20):
        running = start("crawl", "--replay", "web", "--alert-baseline", cwd=office)
        wanted = stored_items(office) + more
        while not running.ended and stored_items(office) < wanted:
            time.sleep(0.002)
        running.kill()
        codes.append(running.wait().code)
    assert -signal.SIGKILL in codes
    last = iprwatch("crawl", "--replay", "web", "--alert-baseline", "--json", cwd=office)
    assert last.code == 0, last.err
    fresh = office / "fresh"
    os.mkdir(fresh)
    whole = iprwatch(
        "--config", "iprwatch.toml", "crawl", "--replay", "web", "--alert-baseline", "--json",
        cwd=office, IPRWATCH_DATA=str(fresh),
    )  # fmt: skip
    wanted = {new["url"] for new in whole.json["new"]}
    assert {row.url for row in rows(office, select(Item.url))} == wanted
    assert len(rows(office, select(Version.id))) == len(wanted)
    sent = rows(office, select(Delivery.item_id, Delivery.rule, Delivery.state))
    assert len(sent) == len(whole.json["alerts"]["sent"])
    assert {row.state for row in sent} == {"sent"}


def test_reparse_changes_nothing_when_no_reader_changed(crawled: tuple[Path, Ran]) -> None:
    office, _ = crawled
    ran = iprwatch("reparse", "--json", cwd=office)
    assert ran.code == 0, ran.out
    assert (ran.json["corrected"], ran.json["failed"]) == (0, 0)
    assert ran.json["same"] == len(rows(office, select(Item.id)))


def test_reparse_corrects_a_record_without_version_or_alert(office: Path) -> None:
    iprwatch("crawl", COURT, "--replay", "web", cwd=office)
    engine = open_engine(f"sqlite:///{office / 'data' / 'iprwatch.db'}")
    with engine.begin() as connection:
        before = connection.execute(select(Item.id, Item.title).order_by(Item.id).limit(1)).one()
        connection.execute(Item.__table__.update().where(Item.id == before.id).values(title="misread"))
    engine.dispose()
    ran = iprwatch("reparse", "--json", cwd=office)
    assert ran.json["corrected"] == 1
    assert rows(office, select(Item.title, Item.version_number).where(Item.id == before.id)) == [
        (before.title, 1)
    ]
    assert rows(office, select(Delivery.id)) == []


def test_reparse_reports_bytes_that_are_missing_and_keeps_the_record(office: Path) -> None:
    iprwatch("crawl", "court_spc_guiding_cases", "--replay", "web", cwd=office)
    items = rows(office, select(Item.title))
    for path in (office / "data/archive").rglob("*.gz"):
        path.unlink()
    ran = iprwatch("reparse", "--json", cwd=office)
    assert (ran.code, ran.json["failed"]) == (1, len(items))
    assert rows(office, select(Item.title)) == items


def test_the_crawl_works_from_any_folder(office: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ran = iprwatch(
        "--config",
        office / "iprwatch.toml",
        "crawl",
        COURT,
        "--replay",
        office / "web",
        "--json",
        cwd=elsewhere,
    )
    assert ran.code == 0, ran.err
    assert list(elsewhere.iterdir()) == []
    assert len(rows(office, select(Item.id))) == len(ran.json["new"])


def test_a_full_disk_is_an_exit_code_and_a_sentence_not_a_traceback(office: Path) -> None:
    ran = iprwatch("crawl", "--replay", "web", cwd=office, first=SMALL_DISK.format(kilobytes=100))
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.out + ran.err
    assert re.search("disk", ran.err.splitlines()[-1])


def test_a_disk_that_fills_up_during_a_crawl_loses_no_acknowledged_item(office: Path) -> None:
    store = office / "data" / "iprwatch.db"
    open_engine(f"sqlite:///{store}").dispose()
    room = store.stat().st_size // 1024 + 100
    ran = iprwatch("crawl", "--replay", "web", "--json", cwd=office, first=SMALL_DISK.format(kilobytes=room))
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.out + ran.err
    stored = rows(office, select(func.count()).select_from(Item))[0][0]
    versions = rows(office, select(func.count()).select_from(Version))[0][0]
    assert stored == versions
    again = iprwatch("crawl", "--replay", "web", "--json", cwd=office)
    assert again.code == 0, again.err
    assert rows(office, select(func.count()).select_from(Item))[0][0] > 20


def test_an_article_that_another_source_had_first_is_told_to_rules_that_name_this_one(office: Path) -> None:
    file = office / "iprwatch.toml"
    rule = '[[rules]]\nname = "Work"\nsources = ["cnipa_work"]\nsend = [{ channel = "log" }]\n'
    file.write_text(file.read_text("utf-8") + rule, encoding="utf-8")
    page = office / "web/cnipa/records_53/page.xml"
    whole = page.read_text("utf-8")
    row = next(found for found in re.findall(r"<record>.*?</record>", whole, re.S) if "209420" in found)
    extra = row.replace("209420", "209001")
    page.write_text(whole.replace(row, extra), encoding="utf-8")
    iprwatch("crawl", "cnipa_news", "cnipa_work", "--replay", "web", cwd=office)
    assert alerts(office) == []
    page.write_text(whole, encoding="utf-8")
    for _ in range(2):
        ran = iprwatch("crawl", "cnipa_work", "--replay", "web", "--json", cwd=office)
        assert ran.code == 0, ran.out
    assert [(alert["rule"], alert["url"].rsplit("_", 1)[-1]) for alert in alerts(office)] == [
        ("Work", "209420.html")
    ]
