"""Planned rechecks in a crawl: what becomes of articles that say the same, are edited, vanish, move and come back.

One column is recorded at five times, and crawled at each; every test looks at what one of the crawls made of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.store.session import open_engine
from pipeline.store.tables import Item, Snapshot, Version, Withdrawal
from tests.command import Ran, iprwatch
from tests.loopback import Said
from tests.recheck_site import GONE, RECORDS, SITE, article, listing, url_of, watch_column
from tests.recorded_web import record

# First seen at nine; due after 6 hours and a day. What is missing at the first look is due 6 hours later.
TIMES = {
    "first": "2026-11-18T09:00:00+08:00",
    "after 7 hours": "2026-11-18T16:00:00+08:00",
    "after 14 hours": "2026-11-18T23:00:00+08:00",
    "after 25 hours": "2026-11-19T10:00:00+08:00",
    "after 26 hours": "2026-11-19T11:00:00+08:00",
}
HOME = Said(
    200, "<html><head><title>某知识产权局</title></head><body><ul><li>要闻</li></ul></body></html>".encode()
)


SAME, EDITED, DELETED, MOVED, UNMODIFIED, BLINKING = range(1, 7)
# These two are first seen, and so come due, after the others.
LATER = {url_of(UNMODIFIED): "2026-11-18T09:05:00+08:00", url_of(BLINKING): "2026-11-18T09:10:00+08:00"}
WEBS: dict[str, dict[str, Said]] = {
    "first": {
        RECORDS: listing(SAME, EDITED, DELETED, MOVED, UNMODIFIED, BLINKING),
        **{url_of(n): article(n) for n in range(1, 7)},
        url_of(UNMODIFIED): article(UNMODIFIED, ETag='"v1"'),
    },
    "after 7 hours": {
        RECORDS: listing(SAME, EDITED, DELETED, MOVED, UNMODIFIED, BLINKING),
        url_of(SAME): article(SAME, reads=8123),
        url_of(EDITED): article(EDITED, "赔偿三万元"),
        url_of(DELETED): GONE,
        url_of(MOVED): Said(302, b"", {"Location": f"{SITE}/"}),
        f"{SITE}/": HOME,
        url_of(UNMODIFIED): Said(304),
        url_of(BLINKING): GONE,
    },
    "after 14 hours": {
        RECORDS: listing(SAME, EDITED),
        url_of(DELETED): GONE,
        url_of(BLINKING): article(BLINKING),
    },
    "after 25 hours": {
        RECORDS: listing(SAME, EDITED),
        url_of(SAME): article(SAME),
        url_of(EDITED): article(EDITED, "赔偿三万元"),
        url_of(DELETED): article(DELETED),
        url_of(MOVED): article(MOVED),
        url_of(UNMODIFIED): Said(412, b"<html><script>$_ts={}</script></html>"),
    },
    # The list itself is blocked: nothing is asked for again.
    "after 26 hours": {RECORDS: Said(412, b"<html><script>$_ts={}</script></html>"), url_of(UNMODIFIED): GONE},
}  # fmt: skip


@dataclass(frozen=True)
class Crawled:
    """The folder of a crawl, what the command said, and what was found withdrawn after the second crawl."""

    folder: Path
    ran: Ran
    withdrawn: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.ran.json["sources"][0]["counts"]
        return counts

    @property
    def rechecks(self) -> dict[str, int]:
        return {
            name.removeprefix("recheck "): n for name, n in self.counts.items() if name.startswith("recheck ")
        }

    def rows(self, table: Any) -> list[Any]:
        engine = open_engine(f"sqlite:///{self.folder / 'data/iprwatch.db'}", create=False)
        with engine.connect() as connection:
            found = connection.execute(select(*table.__table__.columns).order_by(table.__table__.c.id)).all()
        engine.dispose()
        return list(found)

    def item(self, number: int) -> dict[str, Any]:
        shown: dict[str, Any] = iprwatch("show", url_of(number), "--json", cwd=self.folder).json
        return shown

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "alerts.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Crawled]:
    """What each crawl said, and the folder after the last one (what tests read of it holds for all)."""
    folder = tmp_path_factory.mktemp("rechecks")
    watch_column(folder)
    done = {}
    for name, web in WEBS.items():
        for url, said in web.items():
            fetched = LATER.get(url, TIMES[name]) if name == "first" else TIMES[name]
            record(folder / name, url, said, fetched)
        ran = iprwatch("crawl", "--replay", name, "--alert-baseline", "--json", cwd=folder)
        look = name == "after 14 hours"
        gone = iprwatch("search", "--withdrawn", "--json", cwd=folder).json if look else {}
        done[name] = Crawled(folder, ran, gone)
    return done


def test_what_was_stored_just_now_is_not_asked_for_again(crawls: dict[str, Crawled]) -> None:
    assert crawls["first"].counts["new"] == 6
    assert "rechecks" not in crawls["first"].counts


def test_rechecks_are_counted_apart_from_new_articles(crawls: dict[str, Crawled]) -> None:
    counts = crawls["after 7 hours"].counts
    assert (counts["rechecks"], counts.get("asked", 0), counts["known links"]) == (6, 0, 6)
    assert crawls["after 7 hours"].rechecks == {"unchanged": 2, "edited": 1, "gone": 2, "moved": 1}
    assert crawls["after 7 hours"].ran.json["sources"][0]["state"] == "ok"


def test_only_what_is_due_is_asked_for(crawls: dict[str, Crawled]) -> None:
    assert crawls["after 14 hours"].counts["rechecks"] == 2
    assert crawls["after 14 hours"].rechecks == {"gone": 1, "unchanged": 1}


def test_a_counter_that_ran_on_is_no_edit(crawls: dict[str, Crawled]) -> None:
    shown = crawls["first"].item(SAME)
    assert len(shown["versions"]) == 1
    assert shown["recheck"]["outcome"] == "unchanged"


def test_an_edit_is_a_version_and_the_alert_says_what_changed(crawls: dict[str, Crawled]) -> None:
    shown = crawls["first"].item(EDITED)
    assert [version["number"] for version in shown["versions"]] == [1, 2]
    (alert,) = [alert for alert in crawls["first"].alerts() if alert["event"] == "version 2"]
    told = alert["facts"][0]
    assert (told["kind"], told["text"]) == ("changed", "“法院判决赔偿三十万元” → “法院判决赔偿三万元”")


def test_an_item_that_is_gone_is_flagged_wherever_it_is_shown(crawls: dict[str, Crawled]) -> None:
    gone = crawls["after 14 hours"].withdrawn
    (hit,) = gone["hits"]
    assert (gone["total"], hit["url"], hit["withdrawn"]["kind"]) == (1, url_of(DELETED), "unavailable")
    folder = crawls["first"].folder
    assert iprwatch("search", "--withdrawn", "--json", cwd=folder).json["total"] == 0
    shown = iprwatch("show", url_of(DELETED), cwd=folder)
    assert "Withdrawn" in shown.out


def test_an_article_that_is_gone_twice_is_withdrawn_and_told(crawls: dict[str, Crawled]) -> None:
    assert "withdrawn" not in crawls["after 7 hours"].counts
    assert crawls["after 14 hours"].counts["withdrawn"] == 1
    (alert,) = [alert for alert in crawls["first"].alerts() if alert["event"] == "withdrawn"]
    assert alert["url"] == url_of(DELETED)
    told = alert["facts"][0]
    assert told["kind"] == "withdrawal"
    assert told["text"] == (
        "after 8 hours: not there any more; there until 2026-11-18 09:00, gone at 2026-11-18 16:00"
    )


def test_the_proofs_of_a_withdrawal_are_kept(crawls: dict[str, Crawled]) -> None:
    crawled = crawls["first"]
    (proven, blink) = crawled.rows(Withdrawal)
    assert (proven.kind, proven.control_url) == ("unavailable", RECORDS)
    assert "http 404" in proven.detail
    assert (proven.confirmed_at is not None, blink.confirmed_at) == (True, None)
    kept = {row.sha256 for row in crawled.rows(Snapshot) if row.kind == "unavailable"}
    assert {proven.snapshot_sha256, proven.confirmed_sha256} <= kept
    assert (
        crawled.folder / f"data/archive/{proven.snapshot_sha256[:2]}/{proven.snapshot_sha256}.gz"
    ).exists()


def test_an_article_that_was_gone_once_is_not_withdrawn(crawls: dict[str, Crawled]) -> None:
    shown = crawls["first"].item(BLINKING)
    assert not shown["withdrawn"]
    assert [alert for alert in crawls["first"].alerts() if alert["url"] == url_of(BLINKING)][1:] == []


def test_an_article_that_comes_back_is_unflagged_with_a_record_of_it(crawls: dict[str, Crawled]) -> None:
    shown = crawls["first"].item(DELETED)
    (record_of_it,) = shown["withdrawals"]
    assert not shown["withdrawn"]
    assert record_of_it["returned_at"] == "2026-11-19T02:00:00+00:00"
    assert len(shown["versions"]) == 1


def test_a_redirect_to_the_home_page_is_a_move_and_no_withdrawal(crawls: dict[str, Crawled]) -> None:
    moved = [row for row in crawls["first"].rows(Snapshot) if row.kind == "moved"]
    assert [(row.url, row.detail) for row in moved] == [(f"{SITE}/", f"redirected to {SITE}/")]
    assert crawls["first"].item(MOVED)["withdrawals"] == []


def test_a_site_that_refuses_is_left_alone_and_the_rest_stays_due(crawls: dict[str, Crawled]) -> None:
    assert crawls["after 25 hours"].rechecks == {"unchanged": 4, "blocked": 1}
    assert crawls["after 25 hours"].counts["rechecks"] == 5
    assert crawls["after 25 hours"].ran.code == 0


def test_without_a_list_that_was_read_well_nothing_is_asked_for_again(crawls: dict[str, Crawled]) -> None:
    counts = crawls["after 26 hours"].counts
    assert crawls["after 26 hours"].ran.json["sources"][0]["state"] == "blocked"
    assert "rechecks" not in counts


def test_nothing_is_deleted(crawls: dict[str, Crawled]) -> None:
    assert len(crawls["first"].rows(Item)) == 6
    assert len(crawls["first"].rows(Version)) == 7
