"""The commands on alerts, as a person runs them: against a robot on loopback and the recorded web."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from loopback import Said, Server, serve

from tests.command import iprwatch

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TOLD = "https://www.cnipa.gov.cn/art/2026/11/18/art_75_209401.html"
KEY = "hunter2hunter2"


def configure(folder: Path, server: Server) -> None:
    (folder / "robot.url").write_text(f"{server.url}/send?key={KEY}", encoding="utf-8")
    (folder / "iprwatch.toml").write_text(
        f"""
        allowed_private = ["{server.place}"]
        operators = [{{ channel = "log" }}]
        [channels.group]
        kind = "wecom"
        url = {{ file = "robot.url" }}
        language = "zh"
        [channels.log]
        kind = "file"
        path = "alerts.jsonl"
        [[rules]]
        name = "Trademarks"
        words = ["打击商标恶意注册"]
        send = [{{ channel = "group" }}]
        [[rules]]
        name = "Nothing"
        words = ["没有这样的词"]
        send = [{{ channel = "group" }}]
        """,
        encoding="utf-8",
    )


def says(code: int) -> Said:
    return Said(200, json.dumps({"errcode": code, "errmsg": "said so"}).encode())


def why(folder: Path) -> dict[str, str]:
    ran = iprwatch("alerts", "why", TOLD, "--json", cwd=folder)
    assert ran.code == 0, ran
    return {answer["rule"]: answer["answer"] for answer in json.loads(ran.out)["answers"]}


def test_an_alert_that_a_robot_refused_is_explained_told_to_the_operators_and_sent_again(
    tmp_path: Path,
) -> None:
    with serve(lambda _path, n: says(93000 if n == 1 else 0)) as server:
        configure(tmp_path, server)
        crawled = iprwatch("crawl", "cnipa_news", "--replay", str(SAMPLES), "--alert-baseline", cwd=tmp_path)
        assert crawled.code == 1
        assert why(tmp_path)["Trademarks"].startswith("not told: given up (errcode 93000")
        assert why(tmp_path)["Nothing"] == "not told: the rule does not match it"
        assert iprwatch("alerts", "send", cwd=tmp_path).code == 0
        report = json.loads((tmp_path / "alerts.jsonl").read_text("utf-8"))
        assert "errcode 93000" in report["summary"]
        alert = report["summary"].rpartition(" ")[2]
        assert iprwatch("alerts", "resend", alert[:8], cwd=tmp_path).code == 0
        assert iprwatch("alerts", "send", cwd=tmp_path).code == 0
        assert why(tmp_path)["Trademarks"] == "told"
        shown = iprwatch("alerts", "show", alert, "--json", cwd=tmp_path)
        outcomes = [attempt["outcome"] for attempt in json.loads(shown.out)["attempts_made"]]
        assert outcomes == ["refused", "resend", "sent"]
        first, second = (json.loads(request.body)["text"]["content"] for request in server.seen)
    assert first == second
    assert "【打击商标恶意注册】" in first
    data = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "robot.url"]
    assert not [content for content in data if KEY.encode() in content]


def test_an_item_of_the_baseline_says_so(tmp_path: Path) -> None:
    with serve(lambda _path, _n: says(0)) as server:
        configure(tmp_path, server)
        iprwatch("crawl", "cnipa_news", "--replay", str(SAMPLES), cwd=tmp_path)
        assert "(baseline)" in why(tmp_path)["Trademarks"]
        assert server.seen == []


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (310000, 1)])
def test_a_test_says_what_came_back(tmp_path: Path, code: int, exit_code: int) -> None:
    with serve(lambda _path, _n: says(code)) as server:
        configure(tmp_path, server)
        ran = iprwatch("alerts", "test", "group", cwd=tmp_path)
    assert ran.code == exit_code
    assert f"errcode {code}" in ran.out + ran.err
    assert KEY not in ran.out + ran.err
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("nobody",), "No channel is called 'nobody'; there are group, log."),
        (("group", "--to", "x"), "must be left out"),
    ],
)
def test_a_test_of_what_is_not_there_is_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    with serve(lambda _path, _n: says(0)) as server:
        configure(tmp_path, server)
        ran = iprwatch("alerts", "test", *options, cwd=tmp_path)
    assert (ran.code, server.seen) == (2, [])
    assert words in " ".join(ran.err.split())


def test_a_robot_s_url_in_the_file_itself_is_refused_unshown(tmp_path: Path) -> None:
    text = f'[channels.group]\nkind = "wecom"\nurl = "https://robots.example/send?key={KEY}"\n'
    (tmp_path / "iprwatch.toml").write_text(text, encoding="utf-8")
    ran = iprwatch("alerts", "test", "group", cwd=tmp_path)
    assert ran.code == 2
    assert "channels.group.url: a secret must not stand in the file" in " ".join(ran.err.split())
    assert KEY not in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[channels.log]\nkind = "file"\npath = "a\\u0000b"\n', "channels.log.path: holds a NUL character"),
        ('[[watchlists]]\nname = "w"\nfile = "\\u0000.csv"\n', "watchlists.0.file: holds a NUL character"),
        ('[channels."a\\u0000b"]\nkind = "console"\n', "channels.a…b: holds a NUL character"),
        ("rules = " + "[" * 5000, "brackets stand too deep inside of each other"),
    ],
    ids=["path", "watchlist", "key", "brackets"],
)
def test_a_configuration_that_nothing_can_hold_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "iprwatch.toml").write_text(text, encoding="utf-8")
    ran = iprwatch("alerts", "test", "log", cwd=tmp_path)
    assert ran.code == 2
    assert words in " ".join(ran.err.split())


def test_a_check_of_more_days_than_there_were_is_refused(tmp_path: Path) -> None:
    ran = iprwatch("alerts", "check", "--days", "3650000", "--json", cwd=tmp_path)
    assert ran.code == 2
    assert "less than or equal to 36600" in ran.err
