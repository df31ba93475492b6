"""Every command explains itself and does its work.

Most run in copies of one process that has imported everything; some are started from nothing, as a shell runs them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli import app
from tests.command import iprwatch, iprwatch_anew

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
ARTICLE = SAMPLES / "cnipa/article_74_209413/page.html"
LIST = SAMPLES / "court_gov/list_151/page.html"
NAMES = "--key court_added --name-zh 例 --name-en A --publisher-zh 例 --publisher-en A".split()
ITEM = "https://www.cnipa.gov.cn/art/2026/11/19/art_74_209413.html"
PAIR = json.dumps({side: {"title": "通知", "body": "正文", "url": "https://example.org/1"} for side in "ab"})
# How each command is run where one source is stored, what it reads, its exit code and words of what it prints.
RUNS: dict[str, tuple[tuple[str | Path, ...], str, int, str]] = {
    "crawl": (("cnipa_news", "--replay", SAMPLES), "", 0, "Nothing new"),
    "reparse": ((), "", 0, "0 corrected, 0 failed"),
    "search": (("商标",), "", 0, "商标"),
    "searches list": ((), "", 0, "0 saved searches"),
    "searches show": (("none",), "", 2, "No search is saved as 'none'"),
    "searches delete": (("none",), "", 2, "No search is saved as 'none'"),
    "export": (("商标",), "", 0, "published_precision"),
    "stats": (("--by", "source", "--svg", "chart.svg"), "", 0, "cnipa_news"),
    "sql": (("SELECT count(*) AS counted FROM items",), "", 0, "counted"),
    "show": ((ITEM,), "", 0, "Facts"),
    "rules list": ((), "", 0, "0 rules"),
    "rules report": ((), "", 0, "0 rules: 0 matched nothing"),
    "rules test": (("商标 NOT 专利", "--days", "3000"), "", 0, "The query matches"),
    "tables": ((), "", 0, "court_codes"),
    "correct": (
        (ITEM, "--published", "2026-11-20", "--by", "Anna", "--reason", "as printed"),
        "",
        0,
        "Correction 1 is made",
    ),
    "corrections": ((), "", 0, "0 corrections"),
    "db check": ((), "", 0, "The store is whole"),
    "db backup": (("--to", "copies"), "", 0, "Backed up and verified"),
    "db restore": (("none.backup",), "", 2, "no such file"),
    "db reindex": ((), "", 0, "0 documents"),
    "db vacuum": ((), "", 0, "given back"),
    "db copy": (("sqlite:///copy.db", "--json"), "", 0, "hash"),
    "db prune": ((), "", 0, "Would be deleted"),
    "alerts send": ((), "", 0, ""),
    "alerts list": ((), "", 0, "Channel"),
    "alerts show": (("abcdef",), "", 2, "No alert's id"),
    "alerts resend": (("abcdef",), "", 2, "No alert's id"),
    "alerts enable": (("desk",), "", 2, "Nothing is held back"),
    "alerts acknowledge": (("abcdef",), "", 2, "No alert's id"),
    "alerts check": ((), "", 0, "all accounted for"),
    "alerts why": ((ITEM,), "", 0, "no rule is configured"),
    "alerts test": (("desk",), "", 2, "No channel is called 'desk'"),
    "sources": ((), "", 0, "court_spc_documents"),
    "sources add": (
        ("https://www.court.gov.cn/fabu/gengduo/99.html", "--file", LIST, "--to", "mine.toml", *NAMES),
        "",
        0,
        "Written to mine.toml as [court_added]",
    ),
    "probe": (("cnipa_news", "--replay", SAMPLES), "", 0, "as expected"),
    "add": (("https://www.court.gov.cn/fabu/xiangqing/512961.html",), "", 0, "1 added"),
    "filtered": ((), "", 0, "0 left out"),
    "hosts allow": (("www.example.org", "/a", "--reason", "by letter"), "", 0, "Allowed: www.example.org/a"),
    "hosts revoke": (("www.example.org",), "", 2, "has no permission"),
    "hosts list": ((), "", 0, "Reason"),
    "hosts state": ((), "", 0, ""),
    "status": (("cnipa_news",), "", 0, "1 of 1 sources are well"),
    "run": (("--accept", "nonsense"), "", 2, "--accept"),
    "sources mute": (
        ("cnipa_news", "--until", "2099-01-01", "--reason", "moved"),
        "",
        0,
        "cnipa_news",
    ),
    "sources unmute": (("cnipa_news",), "", 2, "cnipa_news"),
    "sources inbox": ((), "", 0, "0 links of the inbox"),
    "sources unread": ((), "", 0, "0 articles could not be read"),
    "sources set-aside": ((ITEM, "--reason", "empty"), "", 2, "is waiting to be read"),
    "sources take-back": ((ITEM,), "", 2, "is set aside"),
    "serve": (("--host", "192.0.2.1"), "", 2, "no token holds"),
    "tokens add": (("reports", "--days", "30"), "", 0, "iprwatch_"),
    "tokens list": ((), "", 0, "0 tokens"),
    "tokens revoke": (("reports",), "", 2, "No token called 'reports'"),
    "stories list": ((), "", 0, "No event"),
    "stories show": ((ITEM,), "", 0, "1 report"),
    "story split": ((ITEM, "--by", "Anna", "--reason", "another case"), "", 2, ""),
    "story merge": ((ITEM, ITEM, "--by", "Anna", "--reason", "one case"), "", 2, ""),
    "story undo": (("1",), "", 2, "1"),
    "withdrawals list": ((), "", 0, "Nothing was withdrawn"),
    "withdrawals confirm": ((ITEM, "--reason", "deleted"), "", 2, "Nothing waits for a word"),
    "withdrawals dismiss": (
        ("--source", "cnipa_news", "--reason", "rebuilt"),
        "",
        2,
        "Nothing of cnipa_news",
    ),
    "inspect page": ((ARTICLE, "--url", ""), "", 0, "2026年11月18日"),
    "inspect dates": ((), "2026-11-20 18:10\n", 0, "2026-11-20T18:10:00+08:00"),
    "inspect facts": ((), "赔偿35万元", 0, "350000"),
    "inspect same": ((), PAIR + "\n", 0, "same"),
    "inspect folder": ((".",), "", 2, "MANIFEST.csv"),
}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The command's own parts that do something, by their words."""
    parts = getattr(command, "commands", {})
    if path and (not parts or command.invoke_without_command):
        yield " ".join(path)
    for name, part in parts.items():
        yield from commands(part, (*path, name))


COMMANDS = sorted(commands(get_command(app)))


# All import the same modules; these start reactors, servers and processes of their own.
FROM_NOTHING = frozenset(("crawl", "probe", "run", "search", "serve", "sql"))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crawled")
    assert iprwatch("crawl", "cnipa_news", "--replay", SAMPLES, cwd=folder).code == 0
    return folder


def test_every_command_is_run_here() -> None:
    assert sorted(RUNS) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_its_work(command: str, crawled: Path, tmp_path: Path) -> None:
    arguments, stdin, code, words = RUNS[command]
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    run = iprwatch_anew if command in FROM_NOTHING else iprwatch
    ran = run(*command.split(), *arguments, cwd=tmp_path, stdin=stdin)
    assert ran.code == code, ran
    assert words in ran.out + ran.err
    assert not re.search("Traceback|Warning|ignored", ran.err), ran.err


def test_every_command_explains_itself(tmp_path: Path) -> None:
    for command in ("", "alerts", "inspect", "hosts", "db", *COMMANDS):
        ran = iprwatch(*command.split(), "--help", cwd=tmp_path)
        assert ran.code == 0
        assert len(ran.out) > 200, command
