"""Tokens: shown once, kept as a hash, and good for what they are for until they end."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from pipeline.store.api_tokens import (
    SCOPES,
    ApiToken,
    Bearer,
    TokenError,
    add_token,
    any_token,
    check_token,
    list_tokens,
    revoke_token,
)
from pipeline.store.session import build_engine, read_url

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_token_is_kept_only_as_a_hash(engine: Engine) -> None:
    token = add_token(engine, "reports", "read", days=None, now=NOW)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM api_token")).one()
    assert not any(token in str(value) or token.removeprefix("iprwatch_") in str(value) for value in row)
    assert "sha256" not in list_tokens(engine, now=NOW)[0]


def test_no_two_tokens_are_alike(engine: Engine) -> None:
    tokens = {add_token(engine, f"{number}", "read", days=None, now=NOW) for number in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= len("iprwatch_") + 43 for token in tokens)


def test_a_token_holds_until_its_last_moment_and_not_in_it(engine: Engine) -> None:
    token = add_token(engine, "reports", "write", days=2, now=NOW)
    found = check_token(engine, token, now=NOW + timedelta(days=2, seconds=-1))
    assert found is not None
    assert (found.name, found.scope) == ("reports", "write")
    assert check_token(engine, token, now=NOW + timedelta(days=2)) is None
    assert list_tokens(engine, now=NOW + timedelta(days=2))[0]["state"] == "expired"


def test_a_revoked_token_is_refused_and_stays_in_the_list(engine: Engine) -> None:
    token = add_token(engine, "reports", "read", days=None, now=NOW)
    revoke_token(engine, "reports", now=NOW)
    assert check_token(engine, token, now=NOW) is None
    assert [row["state"] for row in list_tokens(engine, now=NOW)] == ["revoked"]
    assert any_token(engine)
    assert not any_token(engine, holding_at=NOW)
    with pytest.raises(TokenError, match="left to revoke"):
        revoke_token(engine, "reports", now=NOW)


def test_a_token_is_good_while_its_use_can_not_be_noted(engine: Engine, database_url: str) -> None:
    """Another process writes for long, or the server is a replica."""
    token = add_token(engine, "reports", "read", days=None, now=NOW)
    with contextlib.ExitStack() as stack:
        asked = engine
        if engine.dialect.name == "sqlite":
            writer = stack.enter_context(
                contextlib.closing(sqlite3.connect(str(engine.url.database), isolation_level=None))
            )
            writer.execute("BEGIN IMMEDIATE")
        else:
            asked = build_engine(read_url(f"{database_url}%20-cdefault_transaction_read_only%3Don"))
            stack.callback(asked.dispose)
        began = time.monotonic()
        assert check_token(asked, token, now=NOW) is not None
        assert time.monotonic() - began < 5
    assert list_tokens(engine, now=NOW)[0]["last_used_at"] is None
    check_token(engine, token, now=NOW)
    assert list_tokens(engine, now=NOW)[0]["last_used_at"] is not None


def test_a_name_is_never_used_twice(engine: Engine) -> None:
    add_token(engine, "reports", "read", days=None, now=NOW)
    revoke_token(engine, "reports", now=NOW)
    with pytest.raises(TokenError, match="choose another name"):
        add_token(engine, "reports", "admin", days=None, now=NOW)
    assert len(list_tokens(engine, now=NOW)) == 1


@pytest.mark.parametrize(
    ("name", "scope", "days", "words"),
    [
        ("", "read", None, "no name"),
        ("a\nb", "read", None, "no name"),
        (" a", "read", None, "no name"),
        ("a" * 101, "read", None, "no name"),
        ("a", "root", None, "no scope"),
        ("a", "read", 0, "1 to 3650"),
        ("a", "read", 10**9, "1 to 3650"),
    ],
)
def test_what_can_not_be_meant_is_refused_and_nothing_written(
    engine: Engine, name: str, scope: str, days: int | None, words: str
) -> None:
    with pytest.raises(TokenError, match=words):
        add_token(engine, name, scope, days=days, now=NOW)
    assert not any_token(engine)


@pytest.mark.parametrize("held", SCOPES)
def test_a_scope_holds_those_below_it(held: str) -> None:
    allowed = [scope for scope in SCOPES if Bearer(1, "a", held).may(scope)]
    assert allowed == list(SCOPES[: SCOPES.index(held) + 1])


def test_the_last_use_is_noted_but_not_at_each_request(engine: Engine) -> None:
    token = add_token(engine, "reports", "read", days=None, now=NOW)
    noted = []
    for minutes in (0, 9, 10):
        check_token(engine, token, now=NOW + timedelta(minutes=minutes))
        with engine.connect() as connection:
            noted.append(connection.scalar(select(ApiToken.last_used_at)))
    assert noted == [NOW, NOW, NOW + timedelta(minutes=10)]


@given(st.one_of(st.text(), st.text().map("iprwatch_".__add__)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_may_be_shown_and_none_is_a_token(engine: Engine, given_text: str) -> None:
    assert check_token(engine, given_text, now=NOW) is None
