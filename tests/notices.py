"""Notices and records made up for tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from crawlers.notice import Notice, PrintedDate
from pipeline import interpret
from pipeline.record import Context, Record

FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)

CONTEXT = Context(
    source_key="court_spc_interpretations",
    publisher_zh="最高人民法院",
    publisher_en="Supreme People's Court",
    topics=("law",),
    run_id=1,
    baseline=False,
    status=200,
    headers={"content-type": "text/html; charset=utf-8"},
)


def make_notice(number: int, **changes: object) -> Notice:
    """A notice of www.court.gov.cn with this number."""
    url = f"https://www.court.gov.cn/fabu/xiangqing/{number}.html"
    notice = Notice(
        reader="court_gov",
        url=url,
        title=f"关于商标案件的通知（第{number}号）",
        publisher="最高人民法院",
        author=None,
        dates=(PrintedDate("2026-11-19 10:00:00", "labelled text"),),
        body=f"这是第{number}号通知的正文，涉及侵害商标权纠纷，赔偿{number}万元。\n本通知自印发之日起施行。",
        links=(),
        attachments=(),
        identity=f"court.gov.cn:{number}",
        entry=None,
        fetched_at=FETCHED,
        sha256=hashlib.sha256(url.encode()).hexdigest(),
    )
    return replace(notice, **changes)  # type: ignore[arg-type]


def make_record(number: int, *, context: Context = CONTEXT, **changes: object) -> Record:
    """The record of such a notice, interpreted as a crawl would."""
    return interpret(make_notice(number, **changes), context)
