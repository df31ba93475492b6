"""Damaged feeds, answers, articles and files are read or refused by name; nothing else ever comes out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.errors import PageError
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.readers import disclosure, feed, media, wechat_backend

Recorded = Callable[[str], Page]
CASES = {
    "feed/wewe_atom": feed,
    "feed/rss_full_text": feed,
    "feed/we_mp_rss_export": feed,
    "feed/json_feed": feed,
    "wechat_backend/publish_list": wechat_backend,
    "wechat_backend/search_accounts": wechat_backend,
    "disclosure/list_cninfo": disclosure,
    "disclosure/list_sse": disclosure,
    "disclosure/pdf_text": disclosure,
    "media/list_sitemap": media,
    "media/article_law_firm": media,
}


@pytest.mark.parametrize("case", CASES)
@given(start=st.floats(0, 1), length=st.floats(0, 1), instead=st.binary(max_size=8))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_page_with_a_hole_is_read_or_refused_by_name(
    recorded: Recorded, case: str, start: float, length: float, instead: bytes
) -> None:
    page = recorded(case)
    reader = CASES[case]
    begin = int(start * len(page.body))
    end = begin + int(length * (len(page.body) - begin))
    damaged = replace(page, body=page.body[:begin] + instead + page.body[end:])
    with suppress(PageError):
        kind = reader.kind_of(damaged)
        if kind == "list":
            assert all(entry.url for entry in reader.read_list(damaged).entries)
        elif kind == "account":
            assert all(account.account_id for account in wechat_backend.read_accounts(damaged))
        else:
            notice = reader.read_article(damaged, ListEntry(page.url, "专利诉讼公告", None, 0))
            assert notice.title
            assert notice.body or notice.body_note
