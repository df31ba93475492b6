"""Of a page without an article an extractor takes what surrounds one: that is no text."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers import media

SENTENCES = [
    "The examiners look at the whole register before they refuse a filing, and write down why they did.",
    "An applicant who disagrees may ask for a review, which takes most of a year in the usual case.",
    "Few of those reviews end well for a filing that copies a name which many people know.",
]
TEXT = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
LINKED = "".join(f'<p><a href="/insights/{at}">{sentence}</a></p>' for at, sentence in enumerate(SENTENCES))


def page(inside: str) -> Page:
    title = "A register that looks back"
    return Page(
        "https://rouse.com/insights/made",
        f"<html><head><title>{title} | Rouse</title></head><body><h1>{title}</h1>{inside}</body></html>".encode(),
        datetime(2026, 11, 20, tzinfo=UTC),
    )


def test_labels_of_links_are_no_text() -> None:
    with pytest.raises(LayoutChanged, match="links"):
        media.read_article(page(f"<div>{LINKED}</div>"))
    with pytest.raises(LayoutChanged, match="labels of links"):
        media.read_article(page(f"<div class='menu'>{LINKED}</div><main>{TEXT}</main>"))


@pytest.mark.parametrize(
    "label", ["Department{}", "Department of matter {}", "<b>Office</b><i>for matter {}</i>"]
)
def test_labels_that_the_extractor_puts_on_one_line_are_no_text(label: str) -> None:
    menu = "".join(f"<li><a href='/{at}'>{label.format(at)}</a></li>" for at in range(30))
    with pytest.raises(LayoutChanged, match="labels of links"):
        media.read_article(page(f"<div><ul>{menu}</ul></div>"))


def test_a_word_of_the_text_that_is_also_a_label_counts_once() -> None:
    text = "".join(f"<p>Semiconductors of kind {at} are Semiconductors here</p>" for at in range(10))
    menu = "<nav><a href='/s'>Semiconductors</a></nav>"
    assert "kind 9" in media.read_article(page(f"{menu}<main>{text}</main>")).body


@pytest.mark.parametrize(
    "block",
    [
        "div class='cookie-notice'",
        "div id='cookies'",
        "div class='box site-footer'",
        "section class='sidebar'",
        "div class='main-menu'",
        "aside",
    ],
)
def test_a_notice_or_a_footer_is_no_text(block: str) -> None:
    with pytest.raises(LayoutChanged):
        media.read_article(page(f"<{block}>{TEXT}</{block.split()[0]}>"))


@pytest.mark.parametrize(
    "block",
    [
        "div class='no-sidebar'",
        "div class='content-sidebar-wrap'",
        "div class='newsletter-text'",
        "div class='related-practice'",
        "section id='navigating-the-register'",
        "div class='submenu-open'",
    ],
)
def test_an_article_may_stand_in_a_block_that_is_named_after_its_neighbours(block: str) -> None:
    read = media.read_article(page(f"<{block}>{TEXT}</{block.split()[0]}>"))
    assert read.body == "\n".join(SENTENCES)


@pytest.mark.parametrize("inner", ["main", "article"])
def test_a_block_around_the_article_is_none_of_its_neighbours(inner: str) -> None:
    read = media.read_article(page(f"<div class='sidebar right'><{inner}>{TEXT}</{inner}></div>"))
    assert read.body == "\n".join(SENTENCES)


def test_some_links_in_a_text_and_its_sentences_in_a_menu_change_nothing() -> None:
    read = media.read_article(
        page(f"<main>{TEXT}<p><a href='/a'>Read the decision</a></p></main><nav><p>{SENTENCES[1]}</p></nav>")
    )
    assert read.body.startswith("\n".join(SENTENCES))


def test_a_long_article_beside_many_menus_is_read_in_a_moment() -> None:
    text = "".join(f"<p>{SENTENCES[at % 3]} {at}</p>" for at in range(600))
    menus = "".join(f"<div class='menu m{at}'><ul><li>Topic {at}</li></ul></div>" for at in range(600))
    started = time.perf_counter()
    media.read_article(page(f"{menus}<main>{text}</main>"))
    assert time.perf_counter() - started < 20
