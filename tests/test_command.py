"""The command line: what it prints, and that bad input gets one clear sentence and an exit code."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import LONGEST, environment, iprwatch

SOURCE = """[court_example]
reader = "court_gov"
url = "https://www.court.gov.cn/fabu/gengduo/99.html"
name_zh = "例"
name_en = "Example"
publisher_zh = "例"
publisher_en = "Example"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = false
"""


def refused(tmp_path: Path, *arguments: str, stdin: str | None = None, **extra: str) -> str:
    """Run a command that must be refused; its one sentence."""
    before = sorted(tmp_path.rglob("*"))
    ran = iprwatch(*arguments, cwd=tmp_path, stdin=stdin, **extra)
    assert ran.code == 2, ran
    assert ran.out == ""
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert sorted(tmp_path.rglob("*")) == before, "nothing may be written"
    return lines[0]


def test_an_unknown_source_is_named_with_the_way_out(tmp_path: Path) -> None:
    assert refused(tmp_path, "crawl", "court_nowhere") == (
        "iprwatch: No source is called 'court_nowhere'; `iprwatch sources` lists them."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("delay = 'soon'", "iprwatch.toml: delay: "),
        ("delay = -1", "iprwatch.toml: delay: "),
        ("colour = 1", "iprwatch.toml: colour: there is no such key."),
        ("delay = ", "iprwatch.toml: is not valid TOML"),
        ("allowed_private = ['localhost']", "allowed_private: 'localhost' isn't of the form host:port"),
        ("robots_allowed = ['https://mp.weixin.qq.com/s']", "robots_allowed: "),
        ("database = 'mysql://x/y'", "iprwatch.toml: database: "),
        ("[channels.a]\nkind = 'pigeon'", "channels: a: kind must be one of console, "),
        ("source_files = 'none.toml'", "source_files: must be a list."),
        ("source_files = ['none.toml']", "none.toml: can't be read"),
        ("[[rules]]\nname = 'x'\nsend = [{channel = 'mail'}]", "rule 'x': no channel is called 'mail'"),
        ("[[rules]]\nname = 'x'\nsend = []", "rules.0.send"),
        (
            "[channels.a]\nkind='smtp'\n[[rules]]\nname='x'\nsend=[{channel='a'}]",
            "rule 'x': the recipient (to) on channel 'a' is no mail address",
        ),
        (
            "[channels.a]\nkind='console'\n[[rules]]\nname='x'\nsources=['no_such']\nsend=[{channel='a'}]",
            "no source is called 'no_such'",
        ),
        (
            "[channels.a]\nkind='console'\n[[rules]]\nname='x'\nevents=['gone']\nsend=[{channel='a'}]",
            "'gone' is no event",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_by_file_and_key(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "iprwatch.toml").write_text(text, encoding="utf-8")
    assert words in refused(tmp_path, "sources")


def test_a_variable_that_cannot_be_used_is_named_and_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "iprwatch.toml").write_text("delay = 1", encoding="utf-8-sig")
    ran = iprwatch("sources", cwd=tmp_path, IPRWATCH_DELAY="soon")
    assert ran.code == 2
    assert ran.err.startswith("iprwatch: the environment variable IPRWATCH_DELAY: delay: "), ran.err
    assert iprwatch("sources", "--json", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("court_gov", "curt_gov"), "reader: no reader is called 'curt_gov'"),
        (("mon-fri", "1-5"), "crontab: "),
        (("0 9 * * mon-fri", "0 9 * *"), "crontab: "),
        (("https://www", "ftp://www"), "url: "),
        (("[court_example]", "[museum_example]"), "must read <family>_<what>"),
        (("[court_example]", "[court_spc_documents]"), "exists already"),
        (("least = 1\n", ""), "least: "),
        (("proven = false", "proven = false\nselector = 'li'"), "selector: "),
    ],
)
def test_a_source_that_cannot_be_used_is_named_by_file_key_and_fault(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    (tmp_path / "own.toml").write_text(SOURCE.replace(*change), encoding="utf-8")
    (tmp_path / "iprwatch.toml").write_text("source_files = ['own.toml']", encoding="utf-8")
    sentence = refused(tmp_path, "sources")
    assert "own.toml" in sentence
    assert words in sentence


def test_a_secret_in_the_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "iprwatch.toml").write_text(
        "[channels.hook]\nkind = 'webhook'\nsecret = 'whsec_c2VjcmV0'\n", encoding="utf-8"
    )
    sentence = refused(tmp_path, "crawl", "--replay", ".")
    assert "channels.hook.secret" in sentence
    assert "c2VjcmV0" not in sentence


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "iprwatch.toml").write_text(
        "[channels.hook]\nkind = 'webhook'\nsecret = { env = 'HOOK' }\n", encoding="utf-8"
    )
    assert "the environment variable HOOK is not set" in refused(tmp_path, "crawl", "--replay", ".")


def test_a_replay_folder_that_is_none_is_named(tmp_path: Path) -> None:
    assert "there is no such folder" in refused(tmp_path, "crawl", "--replay", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no recorded page" in refused(tmp_path, "crawl", "--replay", "empty")


def test_a_recording_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/page.json").write_text('{"url": "https://x.cn/"}', encoding="utf-8")
    assert "page.json: can't be used" in refused(tmp_path, "crawl", "--replay", "web")


def test_searching_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    assert "run a crawl first" in refused(tmp_path, "search", "商标")


def test_a_database_that_cannot_be_opened_is_named_without_password(tmp_path: Path) -> None:
    sentence = refused(tmp_path, "search", "商标", "--db", "postgresql://me:hidden@127.0.0.1:1/none")
    assert "can't be opened" in sentence
    assert "hidden" not in sentence


def test_a_page_in_no_known_shape_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html><body>maintenance</body></html>", encoding="utf-8")
    url = "https://www.court.gov.cn/fabu/xiangqing/1.html"
    shown = iprwatch("inspect", "page", "page.html", "--url", url, cwd=tmp_path).json
    assert shown["kind"] == "changed"
    assert "looked for" in shown["reason"]
    assert url in shown["reason"]


def test_inspect_page_shows_what_a_crawl_would_store(tmp_path: Path, samples: Path) -> None:
    page = samples / "court_gov/article_512961/page.html"
    shown = iprwatch(
        "inspect", "page", page, "--url", "https://www.court.gov.cn/fabu/xiangqing/512961.html",
        "--fetched", "2026-11-20T09:00+08:00", cwd=tmp_path,
    ).json  # fmt: skip
    assert shown["kind"] == "article"
    assert shown["identity"] == "court.gov.cn:512961"
    assert shown["published"]["value"] == "2026-11-18T16:42:05+08:00"
    assert shown["published"]["raw"] in page.read_text("utf-8")
    assert shown["published"]["precision"] == "second"
    assert {"method", "place", "candidates"} <= set(shown["published"])
    body_facts = [fact for fact in shown["facts"] if fact["field"] == "body"]
    assert body_facts
    assert all(shown["body"][fact["start"] : fact["end"]] == fact["raw"] for fact in body_facts)


def test_relative_dates_of_a_saved_page_stay_unknown_without_a_fetch_time(
    tmp_path: Path, samples: Path
) -> None:
    page = samples / "wechat/article_type_0_2020/page.html"
    url = json.loads(page.with_name("page.json").read_text("utf-8"))["url"]
    shown = iprwatch("inspect", "page", page, "--url", url, cwd=tmp_path).json
    if shown["published"]["method"] == "relative":
        assert shown["published"]["value"] is None


def test_inspect_dates_prints_a_line_for_a_line(tmp_path: Path) -> None:
    lines = "发布时间：2026-11-20 18:10\n（2022）粤0192民初2187号\n昨天 10:23\n"
    ran = iprwatch("inspect", "dates", "--base", "2026-11-20T09:00+08:00", cwd=tmp_path, stdin=lines)
    read = [json.loads(line) for line in ran.out.splitlines()]
    assert [shown["value"] for shown in read] == [
        "2026-11-20T18:10:00+08:00",
        None,
        "2026-11-19T10:23:00+08:00",
    ]
    assert [shown["raw"] for shown in read] == lines.splitlines()
    assert read[1]["reason"]


def test_inspect_facts_prints_spans_of_the_text(tmp_path: Path) -> None:
    text = "广州互联网法院（2022）粤0192民初2187号判决被告赔偿35万元。"
    ran = iprwatch("inspect", "facts", cwd=tmp_path, stdin=text)
    facts = [json.loads(line) for line in ran.out.splitlines()]
    assert {"case_number", "amount"} <= {fact["kind"] for fact in facts}
    assert all(text[fact["start"] : fact["end"]] == fact["raw"] for fact in facts)
    assert all({"kind", "raw", "value", "start", "end", "method"} == set(fact) for fact in facts)


def test_inspect_same_tells_edits_reposts_and_different_things(tmp_path: Path) -> None:
    body = "最高人民法院今日就该侵害商标权纠纷案作出判决，判令被告赔偿原告经济损失三百万元，并停止侵权。" * 8
    a = {"title": "判决", "body": body, "url": "https://www.court.gov.cn/fabu/xiangqing/1.html"}
    pairs = [
        {"a": a, "b": {**a, "url": "https://www.court.gov.cn/zixun/xiangqing/1.html"}},
        {"a": a, "b": {**a, "body": body.replace("三百万元", "二百万元")}},
        {"a": a, "b": {**a, "url": "https://example.com/2"}},
        {
            "a": a,
            "b": {
                "title": "通知",
                "body": "关于做好专利开放许可工作的通知，请各地遵照执行。" * 8,
                "url": "https://example.com/3",
            },
        },
    ]
    ran = iprwatch("inspect", "same", cwd=tmp_path, stdin="".join(json.dumps(pair) + "\n" for pair in pairs))
    verdicts = [json.loads(line) for line in ran.out.splitlines()]
    assert [shown["verdict"] for shown in verdicts] == ["same", "edited", "repost", "different"]
    assert all(shown["reason"] for shown in verdicts)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "Invalid JSON"),
        ("[]", "must be a table"),
        ('{"a": {"title": "x", "body": "y", "url": null}}', "b: is missing"),
        ('{"a": {"title": null, "body": "y"}, "b": {"title": "x", "body": "y"}}', "a.title: must be"),
    ],
)
def test_a_pair_that_is_none_is_named_by_its_line(tmp_path: Path, line: str, words: str) -> None:
    sentence = refused(tmp_path, "inspect", "same", stdin=line + "\n")
    assert "Line 1 of standard input is no pair" in sentence
    assert words in sentence


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    # Written as the shell does: the test's own encoding would refuse it.
    first = "import io, sys; sys.stdin = io.TextIOWrapper(io.BytesIO(b'\\n{\\xff}\\n'))"
    ran = iprwatch("inspect", "same", cwd=tmp_path, first=first)
    assert ran.code == 2
    assert "Line 2 of standard input is not UTF-8 (byte 2 of the line); write it as UTF-8." in ran.err


def test_a_byte_order_mark_before_pairs_is_passed_over(tmp_path: Path) -> None:
    side = {"title": "通知", "body": "关于做好专利开放许可工作的通知，请各地遵照执行。", "url": " "}
    ran = iprwatch("inspect", "same", cwd=tmp_path, stdin=f"\ufeff{json.dumps({'a': side, 'b': side})}\n")
    assert (ran.code, ran.json["verdict"]) == (0, "repost")


def test_closed_standard_input_is_refused(tmp_path: Path) -> None:
    ran = iprwatch("inspect", "same", cwd=tmp_path, first="import sys; sys.stdin = None")
    assert (ran.code, ran.err) == (
        2,
        "iprwatch: Standard input is closed; write to it what is to be inspected.\n",
    )


def test_a_pair_is_judged_when_it_comes(tmp_path: Path) -> None:
    """A program may write a pair, wait for its verdict, and write the next."""
    side = {"title": "通知", "body": "请各地遵照执行。", "url": None}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "inspect", "same"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(tmp_path),
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps({'a': side, 'b': side})}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], LONGEST)
        if not ready:
            process.kill()
        assert ready
        assert json.loads(process.stdout.readline())["verdict"] == "repost"
        process.stdin.close()


def test_a_time_without_zone_is_refused(tmp_path: Path) -> None:
    assert "needs a zone" in refused(tmp_path, "inspect", "dates", "--base", "2026-11-20 09:00", stdin="")


def test_a_folder_without_index_is_refused(tmp_path: Path) -> None:
    assert "MANIFEST.csv: can't be read" in refused(tmp_path, "inspect", "folder", ".")


def test_inspect_folder_judges_the_rest_when_a_file_is_missing(tmp_path: Path, samples: Path) -> None:
    for name in ("list_16", "article_512961"):
        shutil.copy(samples / f"court_gov/{name}/page.html", tmp_path / f"{name}.html")
    (tmp_path / "MANIFEST.csv").write_text(
        "file,kind,original_url,title,published\n"
        "gone.html,article,,,\n"
        "list_16.html,list,https://www.court.gov.cn/fabu/gengduo/16.html,,\n"
        "article_512961.html,article,https://www.court.gov.cn/fabu/xiangqing/512961.html,Another,2026-11-18\n",
        encoding="utf-8",
    )
    ran = iprwatch("inspect", "folder", ".", "--json", cwd=tmp_path)
    gone, listed, article = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 1
    assert (gone["verdict"], gone["kind"]) == ("wrong", "unreadable")
    assert "gone.html: can't be read (No such file or directory)" in gone["remark"]
    assert listed["verdict"] == "right"
    assert listed["remark"].startswith("8 entries, the first: 2026-11-19 ")
    assert article["remark"] == "title should be 'Another'"


def test_inspect_folder_reads_every_captured_page_right_or_refuses_it(captures: Path, tmp_path: Path) -> None:
    ran = iprwatch("inspect", "folder", captures, "--json", cwd=tmp_path)
    judged = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["file"] for row in judged if row["verdict"] == "wrong"] == []
    assert ran.code == 0
    wechat = [
        row for row in judged if row["file"].startswith("wechat/") and row["expected_kind"] == "article"
    ]
    assert len(wechat) > 30
    assert {row["verdict"] for row in wechat} == {"right"}
    assert all(row["title"] and row["publisher"] and len(row["published"] or "") > 10 for row in wechat)


def test_search_prints_hits_as_json(tmp_path: Path, samples: Path) -> None:
    iprwatch("crawl", "court_spc_interpretations", "--replay", samples, cwd=tmp_path)
    found = iprwatch("search", "商标", "--json", cwd=tmp_path).json
    assert found["total"] == len(found["hits"]) > 0
    days = [hit["published_on"] for hit in found["hits"]]
    assert days == sorted(days, reverse=True)
    assert iprwatch("search", "商标", "--until", "2000-01-01", "--json", cwd=tmp_path).json["total"] == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_does_its_work_whichever_of_its_streams_are_closed(
    tmp_path: Path, samples: Path, closed: str
) -> None:
    crawl = f'"$0" -m cli crawl court_spc_interpretations --replay "$1" --db sqlite:///store.db {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", crawl, sys.executable, str(samples)],
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONPATH=str(Path(__file__).parent.parent)),
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) is (">&-" not in closed.split())
    # Nothing that was printed was written into a file which had got the number of a closed stream.
    assert iprwatch("db", "check", "--db", "sqlite:///store.db", cwd=tmp_path).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["sources"], ["sources", "--json"], ["--help"]])
def test_an_output_that_has_no_room_is_told_in_a_sentence(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "cli", *arguments], stdout=full, stderr=subprocess.PIPE, encoding="utf-8"
        )
    assert ran.returncode == 2
    assert ran.stderr == (
        "iprwatch: not all could be written: No space left on device. Make room, then ask again.\n"
    )


def test_a_reader_that_has_gone_away_is_no_traceback() -> None:
    for arguments in (["sources"], ["--help"]):
        ran = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert ran.stdout is not None
        ran.stdout.close()
        assert ran.stderr is not None
        assert ran.stderr.read() == b""
        ran.stderr.close()
        assert ran.wait() == 1
