"""The command `iprwatch serve`: a real server, from start to end, as a person runs it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.command import ROOT, environment, iprwatch

SAMPLES = ROOT / "samples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    assert iprwatch("crawl", "cnipa_news", "--replay", SAMPLES, cwd=made).code == 0
    return made


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server in its own process, once it says that it serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--port", "0", *arguments],
        cwd=folder,
        env=environment(folder, PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://[^ ]+?(?=/api)", said)
        if found is None:
            raise AssertionError(process.communicate(timeout=30))
        yield found[0], process
    finally:
        process.kill()
        process.communicate()


def test_a_server_answers_until_it_is_interrupted_and_ends_in_order(folder: Path) -> None:
    with served(folder) as (address, process):
        found = httpx.get(f"{address}/api/v1/items", params={"q": "商标"}, trust_env=False).json()
        assert found["total"] > 0
        assert httpx.get(f"{address}/api/v1/sources/cnipa_news", trust_env=False).json()["last_run"]["state"]
        metrics = httpx.get(f"{address}/metrics", trust_env=False).text
        assert 'iprwatch_source_well{source="cnipa_news"} ' in metrics
        refused = httpx.get(f"{address}/api/v1/items", headers={"Host": "evil.example"}, trust_env=False)
        assert refused.status_code == 421
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "whoever is on this machine may read" in err
        assert '"GET /api/v1/items?q=%E5%95%86%E6%A0%87" 200' in err
        assert "Traceback" not in err


def test_a_token_that_was_made_lets_in_and_a_revoked_one_does_not(tmp_path: Path) -> None:
    assert iprwatch("crawl", "cnipa_news", "--replay", SAMPLES, cwd=tmp_path).code == 0
    made = iprwatch("tokens", "add", "reports", "--days", "1", cwd=tmp_path)
    shown = {"Authorization": f"Bearer {made.out.strip()}"}
    with served(tmp_path) as (address, _):
        items = f"{address}/api/v1/items"
        assert httpx.get(items, trust_env=False).status_code == 401
        assert httpx.get(items, headers=shown, trust_env=False).status_code == 200
        listed = iprwatch("tokens", "list", "--json", cwd=tmp_path)
        assert [(row["name"], row["state"]) for row in listed.json] == [("reports", "holds")]
        assert listed.json[0]["last_used_at"]
        assert made.out.strip() not in listed.out
        assert iprwatch("tokens", "revoke", "reports", cwd=tmp_path).code == 0
        assert httpx.get(items, headers=shown, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "no token holds"),
        (("--host", "::"), "no token holds"),
        (("--host", "no such host"), "no address or name"),
        (("--public-url", "ipr.example.com"), "--public-url"),
        (("--public-url", "https://a/?b"), "--public-url"),
        (("--public-url", "http://["), "--public-url"),
    ],
)
def test_what_may_not_be_served_is_refused_in_one_sentence(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    ran = iprwatch("serve", "--port", "0", *arguments, cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with served(folder) as (address, _):
        port = address.rsplit(":", 1)[1]
        ran = iprwatch("serve", "--port", port, cwd=folder)
    assert ran.code == 2
    assert f"127.0.0.1:{port}: can't listen there" in ran.err


def test_with_a_token_the_server_listens_where_it_is_told(tmp_path: Path) -> None:
    assert iprwatch("crawl", "cnipa_news", "--replay", SAMPLES, cwd=tmp_path).code == 0
    token = iprwatch("tokens", "add", "a", cwd=tmp_path).out.strip()
    with served(tmp_path, "--host", "0.0.0.0") as (address, _):
        items = f"{address.replace('0.0.0.0', '127.0.0.1')}/api/v1/items"
        assert httpx.get(items, trust_env=False).status_code == 401
        answer = httpx.get(items, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert answer.status_code == 200
