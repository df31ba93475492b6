"""Articles of media and law firms: what is confirmed counts, what is contradicted or missing doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import media, sitemap
from pipeline.dates import choose

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def changed(page: Page, old: str, new: str) -> Page:
    assert old.encode() in page.body, f"nothing to change: {old}"
    return replace(page, body=page.body.replace(old.encode(), new.encode()))


def printed(page: Page, entry: ListEntry | None = None) -> list[tuple[str, str]]:
    return [
        (date.raw, date.place)
        for date in media.read_article(page, entry).dates
        if date.meaning == "published" and date.form != "contradicted"
    ]


def article(beside: str, head: str = "") -> Page:
    """A law firm's page with something in its head and beside its headline, and nothing else that is a date."""
    text = (
        "<p>The examiners look at the whole register before they refuse a filing, and write down why.</p>"
        "<p>An applicant who disagrees may ask for a review, which takes most of a year in the usual case.</p>"
        "<p>Few of those reviews end well for a filing that copies a name which many people know.</p>"
    )
    return Page(
        "https://rouse.com/insights/made",
        f"<html><head><title>A register that looks back | Rouse</title>{head}</head><body><main>"
        f"<h1>A register that looks back</h1>{beside}{text}</main></body></html>".encode(),
        FETCHED,
    )


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://www.chinadaily.com.cn/a/1.html", True),
        ("https://global.chinadaily.com.cn/a/1.html", True),
        ("https://insightplus.bakermckenzie.com/bm/1", True),
        ("https://rouse.com/insights/", True),
        ("https://carouse.com/", False),
        ("https://rouse.com.example.org/", False),
        ("", False),
    ],
)
def test_a_page_is_recognised_by_its_host_alone(url: str, known: bool) -> None:
    assert media.recognises(Page(url, b"<html></html>", FETCHED)) is known


@pytest.mark.parametrize(
    ("case", "title"),
    [
        ("article_chinadaily", "Court backs tea maker in trademark appeal"),
        ("article_iprdaily", "充电模块专利案一审判赔3200万元"),
        ("article_law_firm", "China: Bad-faith filings meet a stricter register"),
        ("article_no_date", "How service of process works in patent suits"),
    ],
)
def test_a_headline_is_what_two_witnesses_say(recorded: Recorded, case: str, title: str) -> None:
    page = recorded(f"media/{case}")
    assert media.kind_of(page) == "article"
    assert media.read_article(page).title == title


def test_a_headline_that_nothing_confirms_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="headline"):
        media.read_article(recorded("media/layout_changed"))


def test_a_list_entry_confirms_a_headline(recorded: Recorded) -> None:
    page = changed(article(""), "A register that looks back | Rouse", "Rouse")
    entry = ListEntry(page.url, "A register that looks back", None, 0)
    assert media.read_article(page, entry).title == "A register that looks back"


def test_an_element_that_is_called_a_title_confirms_a_headline() -> None:
    page = changed(
        article(""),
        "<h1>A register that looks back</h1>",
        '<p class="art-tit">A register that looks back</p>',
    )
    assert media.read_article(page).title == "A register that looks back"


def test_a_second_headline_is_another_article(recorded: Recorded) -> None:
    page = changed(article(""), "</main>", "<h1>Plants have names, too</h1></main>")
    with pytest.raises(LayoutChanged, match="one headline"):
        media.read_article(page)


def test_a_page_that_is_cut_off_is_refused(recorded: Recorded) -> None:
    page = recorded("media/article_law_firm")
    with pytest.raises(LayoutChanged, match="cut off"):
        media.read_article(replace(page, body=page.body[: page.body.index(b"</article>")]))


def test_a_body_whose_place_is_known_is_taken_from_nowhere_else(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="#Content"):
        media.read_article(changed(recorded("media/article_chinadaily"), 'id="Content"', 'id="text"'))


def test_a_comment_takes_no_text_along(recorded: Recorded) -> None:
    page = recorded("media/article_law_firm")
    commented = changed(page, "without waiting", "<!-- /row -->without waiting")
    assert media.read_article(commented).body == media.read_article(page).body


@pytest.mark.parametrize("other", [False, True])
def test_a_text_that_stands_there_twice_is_refused(recorded: Recorded, other: bool) -> None:
    page = recorded("media/article_iprdaily")
    block = page.text[
        page.text.index('<div class="article-content">') : page.text.index('<div class="footer">')
    ]
    block = block[: block.rindex("</div>")]
    copy = block.replace("一审判决", "终审判决").replace("三千二百万", "两千二百万") if other else block
    with pytest.raises(LayoutChanged, match="one text"):
        media.read_article(changed(page, block, block + copy))


def test_the_publisher_is_a_name_of_the_site() -> None:
    named = '<meta property="og:site_name" content="{}">'
    assert media.read_article(article("", named.format("ROUSE"))).publisher == "ROUSE"
    assert media.read_article(article("", named.format("Some widget"))).publisher is None


def test_two_headings_beside_the_story_do_not_make_a_headline(recorded: Recorded) -> None:
    page = changed(
        recorded("media/layout_changed"), "<h2>", "<h2>Read next: patents</h2><h3>Read next: patents</h3><h2>"
    )
    with pytest.raises(LayoutChanged, match="headline"):
        media.read_article(page)


def test_headlines_that_differ_confirm_nothing() -> None:
    page = changed(article(""), "A register that looks back | Rouse", "Another story altogether | Rouse")
    with pytest.raises(LayoutChanged, match="headline"):
        media.read_article(page)


def test_the_name_of_a_site_in_large_type_is_no_headline(recorded: Recorded) -> None:
    page = recorded("media/article_iprdaily")
    assert page.text.index("<h1>") < page.text.index("<h1 class")
    assert media.read_article(page).title != "IPRdaily"


def test_the_text_is_without_headline_date_line_and_neighbours(recorded: Recorded) -> None:
    body = media.read_article(recorded("media/article_chinadaily")).body
    assert body.startswith("A court in Jiangcheng has upheld")
    assert "Updated:" not in body
    assert "Related stories" not in body


def test_an_extracted_text_keeps_paragraphs_and_links(recorded: Recorded) -> None:
    notice = media.read_article(recorded("media/article_iprdaily"))
    assert len(notice.body.split("\n")) == 4
    assert notice.body.split("\n")[3].startswith("双方均表示")
    assert notice.links == ("https://www.iprdaily.cn/article1_49877_20261102.html",)


def test_pictures_have_absolute_urls(recorded: Recorded) -> None:
    assert media.read_article(recorded("media/article_chinadaily")).images == (
        "https://img2.chinadaily.com.cn/images/202611/12/example.jpeg",
    )


def test_a_text_of_less_than_200_characters_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="200 characters, found 49"):
        media.read_article(recorded("media/too_short"))


def test_metadata_and_the_url_date_an_article(recorded: Recorded) -> None:
    assert printed(recorded("media/article_chinadaily")) == [
        ("2026-11-12", "metadata publishdate"),
        ("2026-11-12", "url"),
    ]


def test_an_updated_date_is_one_of_change(recorded: Recorded) -> None:
    dates = media.read_article(recorded("media/article_chinadaily")).dates
    assert PrintedDate("2026-11-12 09:30", "labelled text", "modified") in dates


def test_a_label_beside_the_headline_dates_an_article(recorded: Recorded) -> None:
    assert printed(recorded("media/article_iprdaily"))[0] == ("2026-11-13 08:41:20", "labelled text")


def test_linked_data_of_the_article_goes_before_that_of_the_page(recorded: Recorded) -> None:
    page = recorded("media/article_law_firm")
    assert '"2019-01-01T00:00:00+00:00"' in page.text
    assert printed(page) == [
        ("2026-11-17T07:55:00+00:00", "JSON-LD datePublished"),
        ("17 November 2026", "labelled text"),
    ]
    assert PrintedDate("2026-11-18T10:00:00+00:00", "JSON-LD dateModified", "modified") in (
        media.read_article(page).dates
    )


def test_a_footer_and_a_statute_date_nothing(recorded: Recorded) -> None:
    page = recorded("media/article_no_date")
    assert "2026-11-18" in page.text
    assert media.read_article(page).dates == ()


def test_dates_that_contradict_each_other_are_shown_and_none_is_taken(recorded: Recorded) -> None:
    page = recorded("media/article_dates_disagree")
    assert printed(page) == []
    dating = choose(media.read_article(page).dates, page.fetched_at)
    assert (dating.best, dating.disagreement) == (None, True)
    assert {value.raw for _, value in dating.candidates} >= {"14 November 2026"}


def test_of_dates_that_differ_those_count_that_the_list_confirms(recorded: Recorded) -> None:
    page = recorded("media/article_dates_disagree")
    entry = ListEntry(page.url, "Licence terms under review", PrintedDate("2026-11-14", "feed entry"), 0)
    assert printed(page, entry) == [("2026-11-14", "feed entry"), ("14 November 2026", "labelled text")]
    assert choose(media.read_article(page, entry).dates, page.fetched_at).disagreement


@pytest.mark.parametrize(
    "listed",
    ["Sat, 14 Nov 2026 14:02:11 +0000", "2026-11-14T08:00:00Z", "2026/11/14", "20261114", "2026年11月14日"],
)
def test_a_date_of_the_list_is_compared_in_every_form(listed: str) -> None:
    page = article("<p>Published: 14 November 2026</p><p>Date: 2 March 2026</p>")
    entry = ListEntry(page.url, "", PrintedDate(listed, "feed entry"), 0)
    assert printed(page, entry) == [(listed, "feed entry"), ("14 November 2026", "labelled text")]


def test_a_day_apart_is_a_matter_of_time_zones() -> None:
    meta = '<meta property="article:published_time" content="2026-11-13T22:00:00Z">'
    assert len(printed(article("<p>Published: 14 November 2026</p>", meta))) == 2


def test_linked_data_of_another_article_dates_nothing() -> None:
    stated = '{"@type": "Article", "headline": "An older story about plants", "datePublished": "2026-11-02"}'
    assert printed(article("", f'<script type="application/ld+json">{stated}</script>')) == []


def test_a_change_in_the_list_is_no_publication() -> None:
    page = article("<p>Published: 14 November 2026</p>")
    entry = ListEntry(page.url, "", PrintedDate("2026-11-19", "sitemap lastmod", "modified"), 0)
    assert printed(page, entry) == [("14 November 2026", "labelled text")]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ("<p>Published: 14 November 2026</p>", [("14 November 2026", "labelled text")]),
        ("<p>By Lin Example | Posted on Nov. 14, 2026</p>", [("Nov. 14, 2026", "labelled text")]),
        ("<div><i>发布时间：</i><b>2026年11月14日</b></div>", [("2026年11月14日", "labelled text")]),
        (
            '<time datetime="2026-11-14T08:00:00Z">14 Nov</time>',
            [("2026-11-14T08:00:00Z", "time beside the title")],
        ),
        ('<time class="updated" datetime="2026-11-14">14 Nov</time>', []),
        ("<p>生效日期：2026年11月14日</p>", []),
        ("<p>开庭时间：2026-11-14</p>", []),
        ("<p>The law of 14 November 2026 says so.</p>", []),
        ("<p>Updated: 14 November 2026</p>", []),
        ("<p>" + "A long story goes here. " * 12 + "</p><p>Published: 14 November 2026</p>", []),
    ],
)
def test_a_date_beside_the_headline_needs_a_label(beside: str, expected: list[tuple[str, str]]) -> None:
    assert printed(article(beside)) == expected


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2026-11-14T08:00:00Z">',
        '<meta name="PubDate" content="2026-11-14T08:00:00Z">',
        '<meta itemprop="datePublished" content="2026-11-14T08:00:00Z">',
        '<script type="application/ld+json">[{"@type": "Article", "datePublished": "2026-11-14T08:00:00Z"}]</script>',
    ],
)
def test_metadata_dates_an_article(head: str) -> None:
    assert [raw for raw, _ in printed(article("", head))] == ["2026-11-14T08:00:00Z"]


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="date" content="">',
        '<script type="application/ld+json">{"@type": "Organization", "datePublished": "2026-11-14"}</script>',
        '<script type="application/ld+json">{"@type": "NewsArticle", </script>',
        '<script type="application/ld+json">null</script>',
    ],
)
def test_metadata_about_something_else_dates_nothing(head: str) -> None:
    assert printed(article("", head)) == []


def test_the_front_page_of_a_site_is_no_article(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="front page"):
        media.read_article(replace(recorded("media/article_law_firm"), url="https://rouse.com/"))


def test_a_feed_is_read_as_a_list(recorded: Recorded) -> None:
    page = recorded("media/list_feed")
    assert media.kind_of(page) == "list"
    assert [entry.title for entry in media.read_list(page).entries] == [
        "Court of Jiangcheng Awards Damages over Cooling Structure Patent",
        "CNIPA Opens Consultation on Agency Supervision",
    ]


def test_a_news_sitemap_states_titles_and_dates_of_publication(recorded: Recorded) -> None:
    page = recorded("media/list_news_sitemap")
    assert media.kind_of(page) == "list"
    entry = media.read_list(page).entries[0]
    assert entry.title == "Court backs tea maker in trademark appeal"
    assert entry.date == PrintedDate("2026-11-12T09:12:00+08:00", "sitemap publication_date")
    assert entry.url == recorded("media/article_chinadaily").url


def test_a_plain_sitemap_states_neither_title_nor_publication(recorded: Recorded) -> None:
    entry = media.read_list(recorded("media/list_sitemap")).entries[0]
    assert entry.title == ""
    assert entry.date == PrintedDate("2026-11-17T08:30:00+00:00", "sitemap lastmod", "modified")


def test_a_sitemap_is_read_newest_first_and_without_pictures_and_pages_that_are_no_articles(
    recorded: Recorded,
) -> None:
    listed = media.read_list(recorded("media/list_sitemap"))
    assert [entry.url.rsplit("/", 1)[-1] for entry in listed.entries] == [
        "example-bad-faith-filings",
        "example-plant-variety-rules",
        "example-design-term",
        "example-customs-seizures",
        "example-licence-records",
    ]
    assert listed.total == 5


@pytest.mark.parametrize(
    ("url", "articles", "others"),
    [
        (
            "https://rouse.com/",
            ["insights/news/2025/a-law"],
            ["people/a-person", "insights/", "insights/news/"],
        ),
        (
            "https://insightplus.bakermckenzie.com/",
            ["bm/tax/a-law"],
            ["bm/", "bm/attachment_dw.action", "bm/tax/"],
        ),
        ("https://www.chinajusticeobserver.com/", ["a/a-law", "law/x/a-law-2026"], ["about", "a/", "law/x/"]),
        ("https://www.bakermckenzie.com/", ["en/insight/a-law", "en/people/a-person"], []),
    ],
)
def test_of_a_sitemap_only_articles_are_taken_where_their_form_is_known(
    url: str, articles: list[str], others: list[str]
) -> None:
    rows = "".join(f"<url><loc>{url}{path}</loc></url>" for path in [*others, *articles])
    page = Page(f"{url}sitemap.xml", f"<urlset>{rows}</urlset>".encode(), FETCHED)
    assert [entry.url for entry in media.read_list(page).entries] == [url + path for path in articles]


def test_a_sitemap_without_any_article_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match=r"\d entries of another form, such as https://rouse\.com/"):
        media.read_list(changed(recorded("media/list_sitemap"), "/insights/news/", "/opinions/"))


def test_of_a_long_sitemap_the_newest_entries_are_taken(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "MOST_ENTRIES", 1)
    listed = media.read_list(recorded("media/list_sitemap"))
    assert [entry.date.raw for entry in listed.entries if entry.date] == ["2026-11-17T08:30:00+00:00"]
    assert listed.total == 5


def test_an_index_of_sitemaps_is_refused_and_names_them(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match=r"watch one of them, such as https://\S+sitemap-insight\.xml"):
        media.read_list(recorded("media/sitemap_index"))


def test_a_sitemap_whose_entries_lack_their_url_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="8 entries"):
        media.read_list(changed(recorded("media/list_sitemap"), "loc>", "address>"))


def test_a_list_in_html_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="a feed or a sitemap"):
        media.read_list(recorded("media/article_law_firm"))


def test_a_challenge_is_blocked(recorded: Recorded) -> None:
    for read in (media.kind_of, media.read_list, media.read_article):
        with pytest.raises(Blocked):
            read(recorded("media/blocked"))


def test_a_page_that_is_not_there_is_gone(recorded: Recorded) -> None:
    for read in (media.kind_of, media.read_list, media.read_article):
        with pytest.raises(Gone):
            read(recorded("media/gone"))
