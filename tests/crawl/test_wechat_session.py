"""The session in the WeChat backend: used while it lives, never after, and kept secret throughout."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawlers.wechat_session import (
    WechatSession,
    announce_end,
    announce_refusal,
    describe_session,
    due_warning,
    read_session,
    refuse_session,
    with_token,
)
from errors import ConfigurationError
from pipeline.alerts.operators import tell_operators
from pipeline.alerts.rules import Recipient
from query.deliveries import list_deliveries
from tests.command import iprwatch

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
OPERATORS = [Recipient(channel="log")]
SESSION = WechatSession("slave_sid=abcdef-cookie", "1000000001", NOW + timedelta(days=3))


def use(office: Path, case: str, expires: str, *further: str) -> None:
    """Watch recorded answers of the backend with a session that ends then."""
    entries = []
    for number, name in enumerate((case, *further)):
        url = json.loads((office / f"web/wechat_backend/{name}/page.json").read_text("utf-8"))["url"]
        entries.append(
            f"""[wechat_backend_example{number or ""}]
reader = "wechat_backend"
url = "{url.replace("token=1000000001", "token=")}"
name_zh = "例"
name_en = "Example"
publisher_zh = "例"
publisher_en = "Example"
topics = []
crontab = "0 9 * * *"
least = 1
proven = true
"""
        )
    (office / "sources.toml").write_text("\n".join(entries), encoding="utf-8")
    file = office / "iprwatch.toml"
    file.write_text(
        file.read_text("utf-8").split("[wechat]")[0]
        + f'\n[wechat]\ncookie = {{ env = "COOKIE" }}\ntoken = {{ env = "TOKEN" }}\nexpires = "{expires}"\n',
        encoding="utf-8",
    )


def crawl(office: Path, *further: str) -> dict[str, object]:
    """What became of the first source; the others are crawled with it."""
    return crawl_all(office, "wechat_backend_example", *further)[0]


def crawl_all(office: Path, *keys: str) -> list[dict[str, object]]:
    ran = iprwatch(
        "crawl", *keys, "--replay", "web", "--json",
        cwd=office, COOKIE=SESSION.cookie, TOKEN=SESSION.token,
    )  # fmt: skip
    assert ran.out, ran.err
    assert SESSION.token not in ran.out + ran.err
    return list(ran.json["sources"])


def secrets_in(folder: Path) -> list[str]:
    secrets = (SESSION.cookie.encode(), b"token=" + SESSION.token.encode())
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]


def test_a_living_session_reads_the_list_and_leaves_no_secret(office: Path) -> None:
    use(office, "publish_list", "2999-01-01T00:00:00+08:00")
    source = crawl(office)
    assert source["state"] == "ok", source
    assert source["counts"]["links"] > 1  # type: ignore[index]
    assert secrets_in(office / "data") == []


def test_a_session_that_the_server_refused_is_not_used_again(office: Path) -> None:
    use(office, "session_expired", "2999-01-01T00:00:00+08:00", "publish_list")
    first, beside = crawl_all(office, "wechat_backend_example", "wechat_backend_example1")
    assert (first["state"], first["counts"]["http 200"]) == ("login expired", 1)  # type: ignore[index]
    assert (beside["state"], beside["counts"]) == ("login expired", {})
    second = crawl(office)
    assert second["state"] == "login expired"
    assert "refused by the server" in str(second["reason"])
    assert "http 200" not in second["counts"]  # type: ignore[operator]
    assert secrets_in(office / "data") == []


def test_a_session_that_was_too_fast_rests_for_the_run(office: Path) -> None:
    use(office, "blocked", "2999-01-01T00:00:00+08:00", "publish_list")
    first, beside = crawl_all(office, "wechat_backend_example", "wechat_backend_example1")
    assert first["state"] == "blocked"
    assert (beside["state"], beside["counts"]) == ("blocked", {})
    assert "frequency" in str(beside["reason"])


def test_an_expired_session_is_not_used_at_all(office: Path) -> None:
    use(office, "publish_list", "2020-01-01T00:00:00+08:00")
    source = crawl(office)
    assert source["state"] == "login expired"
    assert "http 200" not in source["counts"]  # type: ignore[operator]


def test_the_time_left_is_told() -> None:
    assert describe_session(SESSION, NOW) == "WeChat session: 3 days 0 hours left."
    assert describe_session(SESSION, NOW + timedelta(days=4)) == "WeChat session: expired."
    assert describe_session(None, NOW) is None


def test_a_dead_session_stays_dead_and_a_new_one_lives(engine: Engine) -> None:
    assert refuse_session(engine, SESSION, NOW) is None
    announce_refusal(engine, OPERATORS, SESSION, NOW)
    announce_refusal(engine, OPERATORS, SESSION, NOW + timedelta(hours=1))
    assert "2026-11-20 01:00 UTC" in str(refuse_session(engine, SESSION, NOW))
    fresh = WechatSession("another", SESSION.token, SESSION.expires_at)
    assert refuse_session(engine, fresh, NOW) is None


def test_the_token_takes_the_place_of_another() -> None:
    assert with_token("https://x.cn/a?token=1&b=&token=2", "9") == "https://x.cn/a?b=&token=9"


def test_a_session_shows_no_secret() -> None:
    assert SESSION.cookie not in repr(SESSION)
    assert SESSION.token not in repr(SESSION)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"token": "1", "expires": "2026-11-24T09:00:00+08:00"}, "cookie"),
        ({"cookie": "a", "token": "", "expires": "2026-11-24T09:00:00+08:00"}, "token"),
        ({"cookie": "a", "token": "1", "expires": "soon"}, "expires"),
        ({"cookie": "a", "token": "1", "expires": "2026-11-24T09:00:00"}, "expires"),
        ({"cookie": "a", "token": "1", "expires": "2026-11-24T09:00:00+08:00", "colour": 1}, "colour"),
    ],
)
def test_a_session_that_cannot_be_used_is_named_by_its_key(options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"wechat.{key}"):
        read_session(options, "iprwatch.toml: wechat")


def test_operators_hear_once_that_a_session_was_refused(office: Path) -> None:
    use(office, "session_expired", "2999-01-01T00:00:00+08:00")
    file = office / "iprwatch.toml"
    file.write_text('operators = [{ channel = "log" }]\n' + file.read_text("utf-8"), encoding="utf-8")
    crawl(office)
    crawl(office)
    told = [json.loads(line) for line in (office / "alerts.jsonl").read_text("utf-8").splitlines()]
    assert [alert["title"] for alert in told] == ["The WeChat session was refused by the server"]


@pytest.mark.parametrize(
    ("left", "warning"),
    [
        (timedelta(days=3), None),
        (timedelta(days=2), "2 days"),
        (timedelta(hours=7), "2 days"),
        (timedelta(hours=6), "6 hours"),
        (timedelta(seconds=1), "6 hours"),
        (timedelta(), "over"),
    ],
)
def test_the_end_is_announced_two_days_and_six_hours_before(left: timedelta, warning: str | None) -> None:
    assert due_warning(SESSION, SESSION.expires_at - left) == warning


def test_a_session_that_died_is_not_counted_down_any_more(engine: Engine) -> None:
    announce_end(engine, OPERATORS, SESSION, SESSION.expires_at - timedelta(days=2))
    announce_refusal(engine, OPERATORS, SESSION, SESSION.expires_at - timedelta(days=1))
    announce_end(engine, OPERATORS, SESSION, SESSION.expires_at - timedelta(hours=6))
    announce_end(engine, OPERATORS, SESSION, SESSION.expires_at)
    told = {row["title"] for row in list_deliveries(engine, limit=10)}
    assert told == {
        "The WeChat session ends in less than 2 days",
        "The WeChat session was refused by the server",
    }


def test_a_session_that_ended_as_expected_is_not_mourned_twice(engine: Engine) -> None:
    announce_end(engine, OPERATORS, SESSION, SESSION.expires_at)
    announce_refusal(engine, OPERATORS, SESSION, SESSION.expires_at + timedelta(minutes=1))
    assert [row["title"] for row in list_deliveries(engine, limit=10)] == ["The WeChat session has ended"]


def test_the_same_warning_is_one_alert(engine: Engine) -> None:
    for _ in range(2):
        tell_operators(
            engine, [Recipient(channel="log"), Recipient(channel="mail", to="a@b.cn")], "session x", "t", "s"
        )
    assert len(list_deliveries(engine, limit=10)) == 2
