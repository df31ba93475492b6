"""A damaged page is read or refused by name; nothing else ever comes out of a reader."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.errors import LayoutChanged, PageError
from crawlers.page import Page
from crawlers.readers import chinacourt, court_gov, gov_cn, hanweb, ip_offices, ipc_court, samr, spp, trs

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


ARTICLES = {
    "court_gov/article_512841": court_gov,
    "spp/sfjs_740251": spp,
    "cnipa/article_74_209413": hanweb,
    "chinacourt/article_9659455": chinacourt,
    "gov_cn/article_7091166_notice": gov_cn,
    "ip_offices/mofcom_article": ip_offices,
    "ipc_court/article_6204": ipc_court,
    "samr/article_zjwj_announcement": samr,
    "trs/article_ncac": trs,
}


def put_amid_the_text(page: Page, text: str, inserted: str) -> Page:
    lines = [line for line in text.split("\n") if page.text.count(line[:8]) == 1]
    place = page.text.index(lines[len(lines) // 2][:8])
    return replace(page, body=f"{page.text[:place]}{inserted}{page.text[place:]}".encode())


@pytest.mark.parametrize("case", ARTICLES)
@pytest.mark.parametrize("end", ["</html>", "</body>", "</BODY >\n</HTML>"])
def test_the_end_of_a_page_amid_its_article_shortens_it_by_nothing(
    recorded: Recorded, case: str, end: str
) -> None:
    page, reader = recorded(case), ARTICLES[case]
    whole = reader.read_article(page).body
    damaged = put_amid_the_text(page, whole, end)
    if reader is hanweb:  # cuts the text out of the source, where no page's end counts
        assert reader.read_article(damaged).body == whole
    else:
        with pytest.raises(LayoutChanged, match="one amid it|ends of <div>"):
            reader.read_article(damaged)


@pytest.mark.parametrize("case", ARTICLES)
def test_a_whole_page_that_was_pasted_into_an_article_is_a_part_of_it(recorded: Recorded, case: str) -> None:
    page, reader = recorded(case), ARTICLES[case]
    whole = reader.read_article(page).body
    pasted = "<html><head></head><body><b>附</b>记</body></html>"
    read = reader.read_article(put_amid_the_text(page, whole, pasted)).body
    assert read.replace("附记", "") == whole
    assert len(read) == len(whole) + 2
