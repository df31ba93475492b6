"""What doesn't concern intellectual property is left out, kept short with its reason, and not fetched again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Ran, iprwatch
from tests.crawl.test_live import HTML, article, run, watched
from tests.crawl.test_live import answer as answer_trademarks
from tests.loopback import Said, Server

HEATING = "/art/2026/11/18/art_74_2.html"


def answer(path: str, n: int) -> Said:
    """The second of the five articles is about heating; the others are about trademarks."""
    if path != HEATING:
        return answer_trademarks(path, n)
    page = (
        article(path)
        .decode()
        .replace("为加强商标管理，", "为保障冬季供暖，")
        .replace("公告第2号", "供暖公告第2号")
    )
    return Said(200, page.encode(), HTML)


def narrow(folder: Path, settings: str = "") -> None:
    """Let the source keep only what concerns intellectual property."""
    with (folder / "sources.toml").open("a", encoding="utf-8") as file:
        file.write("only_ip = true\n")
    with (folder / "iprwatch.toml").open("a", encoding="utf-8") as file:
        file.write(settings)


def filtered(folder: Path, *arguments: str) -> Ran:
    return iprwatch("filtered", *arguments, cwd=folder)


def asked_for_heating(server: Server) -> int:
    return server.paths().count(HEATING)


def test_what_is_left_out_is_listed_with_its_reason_and_not_stored(tmp_path: Path) -> None:
    with watched(tmp_path, answer):
        narrow(tmp_path)
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok"), source
    assert (source["counts"]["new"], source["counts"]["filtered"]) == (4, 1)  # type: ignore[index]
    shown = filtered(tmp_path, "--json").json
    assert shown["total"] == 1
    (row,) = shown["filtered"]
    assert (row["title"], row["published_on"], row["source_key"]) == (
        "供暖公告第2号",
        "2026-11-18",
        "cnipa_loopback",
    )
    assert row["reason"]
    assert row["url"].endswith(HEATING)
    assert iprwatch("search", "供暖", "--json", cwd=tmp_path).json["total"] == 0


def test_the_table_shows_title_and_reason(tmp_path: Path) -> None:
    with watched(tmp_path, answer):
        narrow(tmp_path)
        run(tmp_path)
    (row,) = filtered(tmp_path, "--json").json["filtered"]
    shown = filtered(tmp_path, "--source", "cnipa_loopback").out
    assert "1 left out" in shown
    assert "供暖公告第2号" in shown
    assert row["reason"].split()[0] in shown


def test_what_was_left_out_is_not_fetched_again(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        narrow(tmp_path)
        run(tmp_path)
        assert asked_for_heating(server) == 1
        code, source = run(tmp_path)
        assert (code, source["counts"].get("asked", 0)) == (0, 0)  # type: ignore[attr-defined]
        assert asked_for_heating(server) == 1


def test_a_source_that_is_no_longer_narrow_takes_what_it_left_out(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        narrow(tmp_path)
        run(tmp_path)
        sources = tmp_path / "sources.toml"
        sources.write_text(sources.read_text("utf-8").replace("only_ip = true\n", ""), "utf-8")
        source = run(tmp_path)[1]
        assert asked_for_heating(server) == 2
    assert source["counts"]["new"] == 1  # type: ignore[index]


def test_a_word_of_the_operators_own_keeps_an_article(tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('[add.trademark]\nalone = ["供暖"]\n', "utf-8")
    with watched(tmp_path, answer):
        narrow(tmp_path)
        file = tmp_path / "iprwatch.toml"
        file.write_text('lexicon = "words.toml"\n' + file.read_text("utf-8"), "utf-8")
        source = run(tmp_path)[1]
    assert source["counts"]["new"] == 5  # type: ignore[index]
    assert filtered(tmp_path, "--json").json["total"] == 0


@pytest.mark.parametrize(
    ("lexicon", "named"),
    [
        ("[add.trademark\n", "words.toml"),
        ('[add.heating]\nalone = ["供暖"]\n', "heating"),
        ('[add.trademark]\nalone = "供暖"\n', "words.toml"),
        (None, "words.toml"),
    ],
)
def test_a_wrong_lexicon_is_one_sentence_and_nothing_is_fetched(
    tmp_path: Path, lexicon: str | None, named: str
) -> None:
    if lexicon is not None:
        (tmp_path / "words.toml").write_text(lexicon, "utf-8")
    with watched(tmp_path, answer) as server:
        file = tmp_path / "iprwatch.toml"
        file.write_text('lexicon = "words.toml"\n' + file.read_text("utf-8"), "utf-8")
        ran = iprwatch("crawl", cwd=tmp_path)
    assert ran.code == 2
    assert ran.err.count("\n") == 1, ran.err
    assert named in ran.err
    assert server.seen == []


def test_before_any_crawl_there_is_no_list_of_what_was_left_out(tmp_path: Path) -> None:
    ran = filtered(tmp_path)
    assert ran.code == 2
    assert "run a crawl first" in ran.err
