"""A damaged page is read or refused by name; nothing else ever comes out of a reader."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.errors import PageError
from crawlers.page import Page
from crawlers.readers import court_gov, hanweb, spp

Recorded = Callable[[str], Page]
CASES = {
    "court_gov/list_16": court_gov,
    "court_gov/search_shangbiao": court_gov,
    "court_gov/article_512841": court_gov,
    "spp/list_zdgz": spp,
    "spp/wsfbt_741006": spp,
    "spp/sfjs_740251": spp,
    "cnipa/records_74": hanweb,
    "cnipa/column_53": hanweb,
    "cnipa/landing_col4": hanweb,
    "cnipa/article_74_209413": hanweb,
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
        if reader.kind_of(damaged) == "list":
            assert all(entry.url and entry.title for entry in reader.read_list(damaged).entries)
        else:
            notice = reader.read_article(damaged)
            assert notice.title
            assert notice.dates
            assert notice.body or notice.body_note
