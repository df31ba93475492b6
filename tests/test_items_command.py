"""The commands that find by facts, show, correct and list tables, as a user runs them."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli_output import marked, shown_counts
from cli_search import open_page
from query.errors import QueryError
from tests.command import Ran, iprwatch, iprwatch_anew


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder with a stored source; tests take copies."""
    folder = tmp_path_factory.mktemp("crawled")
    ran = iprwatch("crawl", "cnipa_news", "--replay", samples, cwd=folder)
    assert "new items" in ran.out, ran
    return folder


@pytest.fixture
def folder(crawled: Path, tmp_path: Path) -> Path:
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    return tmp_path


def found(folder: Path, *filters: str) -> dict[str, Any]:
    hits: list[dict[str, Any]] = iprwatch("search", *filters, "--json", cwd=folder).json["hits"]
    return {hit["uid"]: hit for hit in hits}


def correct(folder: Path, *arguments: str) -> Ran:
    return iprwatch("correct", *arguments, "--by", "Anna", "--reason", "read the judgment", cwd=folder)


def test_a_search_that_finds_nothing_says_so_in_a_sentence(folder: Path) -> None:
    ran = iprwatch("search", "无此词语", cwd=folder)
    assert (ran.code, ran.out.strip()) == (0, "No stored item matches.")


def test_a_search_takes_an_expression_and_explains_it(folder: Path) -> None:
    ran = iprwatch("search", "(商標 OR 专利)", "source:cnipa_news", "--explain", cwd=folder)
    assert "trade marks" in ran.out
    assert "found for" in ran.out
    shown = iprwatch("search", "商標", "--explain", "--json", cwd=folder).json
    assert shown["total"] > 0
    assert shown["widened"][0]["forms"][:2] == ["商標", "商标"]


def test_a_search_that_finds_nothing_suggests_what_is_written_alike(folder: Path) -> None:
    ran = iprwatch("search", "北京知识产杈法院", cwd=folder)
    assert (ran.code, "Did you mean 北京知识产权法院" in ran.out) == (0, True)


def test_an_expression_that_cannot_be_read_is_refused_at_its_place(folder: Path) -> None:
    ran = iprwatch("search", "商标 (专利", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-2:] == ["    商标 (专利", "         ^"]
    assert "no source is called 'elsewhere'" in iprwatch("search", "source:elsewhere", cwd=folder).err.lower()
    for command in (("search",), ("stats",), ("rules", "test")):
        ran = iprwatch(*command, "NOT topic:lore", cwd=folder)
        assert (ran.code, ran.out) == (2, "")
        assert "No source has the topic 'lore'; there are " in ran.err


@pytest.mark.parametrize(
    "arguments",
    [("search", "商标"), ("search", "商标", "--json"), ("sql", "SELECT title FROM items", "--csv")],
)
def test_what_a_terminal_can_not_show_breaks_nothing_off(folder: Path, arguments: tuple[str, ...]) -> None:
    ran = iprwatch_anew(*arguments, cwd=folder, PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert "\\u5546\\u6807" in ran.out


@pytest.mark.parametrize(("number", "shown"), [(1, "1 link: 1 known link"), (2, "2 links: 2 known links")])
def test_one_known_link_is_no_links(number: int, shown: str) -> None:
    assert shown_counts({"links": number, "known links": number}) == shown


def test_an_item_found_by_its_facts_is_shown_corrected_and_set_right_again(folder: Path) -> None:
    (uid,) = found(
        folder, "--case-no", "[2026]最高法民再87", "--amount-min", "300万", "--ip-type", "trademark"
    )
    before = iprwatch("show", uid, "--json", cwd=folder).json
    made = correct(
        folder, uid[:12], "--fact", "amount", "--raw", "300万元", "--value", '{"amount": "999000000"}'
    )
    assert "Correction 1 is made" in made.out
    assert correct(folder, uid, "--published", "2026-11-18 10:30").code == 0
    assert set(found(folder, "--amount-min", "9亿")) == {uid}
    reparsed = iprwatch("reparse", "--json", cwd=folder)
    assert (reparsed.code, reparsed.json["corrected"]) == (0, 0)
    shown = iprwatch("show", uid, "--json", cwd=folder).json
    assert shown["published"]["at"] == "2026-11-18T02:30:00+00:00"
    listed = iprwatch("corrections", uid[:6], "--json", cwd=folder).json
    assert [(row["target"], row["author"]) for row in listed] == [("fact", "Anna"), ("published", "Anna")]
    for number in ("1", "2"):
        assert iprwatch("correct", "--undo", number, cwd=folder).code == 0
    after = iprwatch("show", uid, "--json", cwd=folder).json
    after.pop("corrections")
    assert after == {key: value for key, value in before.items() if key != "corrections"}


def test_tables_for_people_name_what_the_json_has(folder: Path) -> None:
    uid = next(iter(found(folder, "--ip-type", "trademark")))
    shown = iprwatch("show", uid, cwd=folder).out
    assert all(title in shown for title in ("Facts", "Printed dates", "Versions", "Addresses", "Pages kept"))
    assert "0 corrections" in iprwatch("corrections", cwd=folder).out
    tables = iprwatch("tables", "--json", cwd=folder).json
    assert all(table["name"] in iprwatch("tables", cwd=folder).out for table in tables)
    assert all(table["read"] and table["rows"] for table in tables)


def test_a_data_table_is_shown_with_its_rows_and_source(folder: Path) -> None:
    table = iprwatch("tables", "court_codes", "--json", cwd=folder).json
    assert "最高人民法院" in str(table["rows"])
    assert "Source" in table["about"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("search", "--case-no", "商标"), "is no case number"),
        (("search", "--amount-min", "much"), "is no sum"),
        (("search", "--kind", "gossip"), "is no notice kind"),
        (("show", "zzz"), "is no item's id"),
        (("tables", "weather"), "No data table is called 'weather'"),
        (("correct",), "Name one item and what to correct"),
        (("correct", "abcdef"), "Name one item and what to correct"),
        (("correct", "abcdef", "--published", "2026-11-18", "--fact", "amount"), "Name one item"),
        (("correct", "abcdef", "--published", "2026-11-18", "--remove"), "are for facts"),
        (("correct", "abcdef", "--published", "昨天"), "is no date that can be read"),
        (("correct", "abcdef", "--published", "2026-11-18"), "No stored item is abcdef"),
        (("correct", "abcdef", "--fact", "amount"), "needs --raw"),
        (("correct", "abcdef", "--fact", "amount", "--raw", "1元"), "Say what is otherwise"),
        (("correct", "abcdef", "--fact", "amount", "--raw", "1元", "--value", "x"), "is not JSON"),
        (("correct", "abcdef", "--fact", "amount", "--raw", "1元", "--value", "[]"), "write an object"),
        (
            ("correct", "abcdef", "--fact", "amount", "--raw", "1元", "--remove", "--start", "1"),
            "name the field",
        ),
        (
            ("correct", "abcdef", "--fact", "amount", "--raw", "1元", "--remove", "--field", "x"),
            "is no field",
        ),
        (("correct", "--undo", "9"), "There is no correction 9"),
        (("correct", "--undo", "9", "--by", "Anna"), "stands alone"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(
    crawled: Path, arguments: tuple[str, ...], words: str
) -> None:
    ran = iprwatch(*arguments, cwd=crawled)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.strip().splitlines()
    assert words in line


RULES = """
[channels.log]
kind = "file"
path = "alerts.jsonl"

[[rules]]
name = "Trademarks"
query = "商标"
send = [{ channel = "log" }]

[[rules]]
name = "Nobody"
words = ["无此词语"]
send = [{ channel = "log" }]
"""


def test_rules_are_listed_and_tried(folder: Path) -> None:
    (folder / "iprwatch.toml").write_text(RULES, encoding="utf-8")
    listed = iprwatch("rules", "list", "--days", "3000", "--json", cwd=folder).json
    assert [(row["rule"], row["verdict"]) for row in listed["rules"]] == [
        ("Trademarks", ""),
        ("Nobody", "silent"),
    ]
    tried = iprwatch("rules", "test", "Trademarks", "--days", "3000", "--json", cwd=folder).json
    assert tried["matched_items"] == listed["rules"][0]["matched_items"] > 0
    assert "【商标】" in tried["examples"][0]["matched"]
    shown = iprwatch("rules", "test", "商标 -专利", "--days", "3000", cwd=folder).out
    assert "The query matches" in shown
    assert "【商标】" in shown
    assert "silent" in iprwatch("rules", "list", cwd=folder).out
    refused = iprwatch("rules", "test", "商标 (", cwd=folder)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1].strip() == "^"


def test_a_search_is_saved_run_by_its_name_made_a_rule_and_forgotten(folder: Path) -> None:
    (folder / "iprwatch.toml").write_text('[channels.desk]\nkind = "console"\n', encoding="utf-8")
    asked = ("商标", "--kind", "law_or_policy")
    first = iprwatch("search", *asked, "--save", "新规", "--json", cwd=folder)
    assert first.code == 0, first
    assert first.err.strip() == 'Saved as 新规: (商标) kind:"law_or_policy"'
    again = iprwatch("search", "--saved", "新规", "--json", cwd=folder)
    assert again.json == first.json
    assert iprwatch("search", *asked, "--save", "新规", cwd=folder).code == 2
    narrowed = iprwatch("export", "无此词语", "--saved", "新规", cwd=folder)
    assert len(narrowed.out.splitlines()) == 1
    rule = iprwatch("searches", "show", "新规", "--rule", "desk", cwd=folder)
    with (folder / "iprwatch.toml").open("a", encoding="utf-8") as file:
        file.write(rule.out)
    (listed,) = iprwatch("rules", "list", "--json", cwd=folder).json["rules"]
    assert (listed["rule"], listed["asks_for"]) == ("新规", '(商标) kind:"law_or_policy"')
    assert (
        "no channel is called 'none'"
        in iprwatch("searches", "show", "新规", "--rule", "none", cwd=folder).err
    )
    assert iprwatch("searches", "delete", "新规", cwd=folder).code == 0
    assert iprwatch("searches", "list", "--json", cwd=folder).json == []
    assert "No search is saved as '新规'" in iprwatch("stats", "--saved", "新规", cwd=folder).err


def test_the_page_of_a_found_item_is_opened(folder: Path) -> None:
    shown = folder / "opened"
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {shown}\n')
    browser.chmod(0o755)
    hits = iprwatch("search", "商标", "--json", cwd=folder).json["hits"]
    opened = iprwatch("search", "商标", "--open", "1", cwd=folder, BROWSER=str(browser))
    assert opened.code == 0, opened
    assert shown.read_text() == f"{hits[0]['url']}\n"
    ran = iprwatch("search", "商标", "--limit", "1", "--open", "2", cwd=folder, BROWSER=str(browser))
    assert (ran.code, ran.err.strip()) == (2, "iprwatch: --open 2: only 1 item is shown.")


def test_what_is_no_web_page_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = SimpleNamespace(url="file:///etc/passwd")
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail(url))
    with pytest.raises(QueryError, match="no address of a web page"):
        open_page([hit], 1)  # type: ignore[list-item]


def test_what_was_found_stands_out_and_markup_is_text() -> None:
    shown = marked("侵害商标权[b]", ((2, 4),))
    assert shown.plain == "侵害商标权[b]"
    assert [(span.start, span.end) for span in shown.spans if "underline" in str(span.style)] == [(2, 4)]
