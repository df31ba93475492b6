"""Every fault that a site can have gets its true name, ends by itself, and stops no other source."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.certificates import self_signed
from tests.command import environment, iprwatch
from tests.crawl.test_live import HTML, RECORDS, XML, article, listing
from tests.fault_site import (
    CODINGS,
    MEGABYTE,
    Behaviour,
    Site,
    Writer,
    break_off,
    drip,
    explode,
    head_without_end,
    pour,
    refuse,
    reset,
    say_nothing,
    send,
    serve_site,
)

HEALTHY = [f"healthy{number}" for number in range(15)]
MEMORY = 200 * 1024  # KiB
CHALLENGE = b"<html><head><script>var $_ts={}</script></head><body></body></html>"


def site(
    *,
    robots: Behaviour | None = None,
    page: Behaviour | None = None,
    articles: Behaviour | None = None,
    numbers: Iterable[int] = (1, 2, 3),
) -> Behaviour:
    """A host that is well but for what is given."""

    async def behave(path: str, number: int, writer: Writer) -> None:
        given = robots if path.startswith("/robots.txt") else page if path == RECORDS else articles
        if given is not None:
            await given(path, number, writer)
        elif path == "/robots.txt":
            await send(writer, 404)
        elif path == RECORDS:
            await send(writer, 200, listing(list(numbers)), XML)
        else:
            await send(writer, 200, article(path), HTML)

    return behave


def say(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(path: str, number: int, writer: Writer) -> None:
        await send(writer, status, body, named)

    return behave


async def ask_to_wait_once(path: str, number: int, writer: Writer) -> None:
    if number == 1:
        await send(writer, 429, b"slower", {"Retry-After": "1"})
    else:
        await send(writer, 200, listing([1, 2, 3]), XML)


def faults(canary: str) -> dict[str, tuple[Behaviour, str]]:
    """Each fault with the state that a run must have."""
    there = f"http://{canary}/"
    refresh = f'<meta http-equiv="refresh" content="0; url={there}">'.encode()
    layout = b"<html><body><ul class='v2'><li>" + "改版后的列表".encode() * 60 + b"</li></ul></body></html>"
    return {
        "refused": (refuse, "down"),
        "silent": (site(page=say_nothing), "down"),
        "dripping": (site(page=drip), "down"),
        "pouring": (site(page=pour), "down"),
        "endlesshead": (site(page=head_without_end), "down"),
        "reset": (site(page=reset), "down"),
        "half": (site(page=break_off), "down"),
        "error500": (site(page=say(500)), "down"),
        "error503": (site(page=say(503)), "down"),
        "slower": (site(page=ask_to_wait_once), "ok"),
        "muchslower": (site(page=say(429, Retry_After="7200")), "blocked"),
        "maintained": (site(page=say(503, Retry_After="7200")), "down"),
        "toofrequent": (site(page=say(429)), "blocked"),
        "robotsclosed": (site(robots=say(200, b"User-agent: *\nDisallow: /\n")), "closed by robots"),
        "robots503": (site(robots=say(503)), "down"),
        "robotssilent": (site(robots=say_nothing), "down"),
        "robotsaway": (site(robots=say(302, Location=there)), "down"),
        "robotsround": (site(robots=say(302, Location="/robots.txt?again")), "down"),
        "robotsbomb": (site(robots=explode("gzip", 64 * MEGABYTE)), "down"),
        "away": (site(page=say(302, Location=there)), "down"),
        "refreshed": (site(page=say(200, refresh)), "down"),
        "round": (site(page=say(302, Location=RECORDS)), "blocked"),
        **{f"bomb{coding}": (site(page=explode(coding, 64 * MEGABYTE)), "down") for coding in CODINGS},
        "challenge412": (site(page=say(412, CHALLENGE)), "blocked"),
        "challenge521": (site(page=say(521, CHALLENGE)), "blocked"),
        "challenge200": (site(page=say(200, CHALLENGE)), "blocked"),
        "layout": (site(page=say(200, layout)), "changed"),
        "gone": (site(page=say(404, b"<html><body>Not Found</body></html>")), "changed"),
        "newarticles": (site(articles=say(200, layout)), "incomplete"),
        "empty": (site(numbers=()), "changed"),
        "stale": (site(), "ok"),
        "brokenarticles": (site(articles=say(500), numbers=range(1, 9)), "incomplete"),
        "unknowncertificate": (site(), "down"),
    }


# What a fault is called the day after, where that isn't the state's own name.
VERDICTS = {
    "ok": "new",
    "changed": "layout changed",
    "closed by robots": "blocked",
}
OTHER_VERDICTS = {"gone": "moved", "newarticles": "layout changed"}


# The peak of a process counts that of the one it was started by, and the tests' own is large.
MEASURE = """import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def configure(folder: Path, served: Site, names: Iterable[str], **settings: str) -> None:
    """An installation that watches these hosts."""
    sources = "".join(
        f"""[cnipa_{name}]
reader = "hanweb"
url = "{served.url(name)}{RECORDS}"
name_zh = "试验公告"
name_en = "Announcements"
publisher_zh = "某局"
publisher_en = "Some office"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true
"""
        for name in names
    )
    (folder / "sources.toml").write_text(sources, encoding="utf-8")
    lines = {
        "data": '"data"',
        "built_in_sources": "false",
        "source_files": '["sources.toml"]',
        "contact": '"monitor@example.org"',
        "delay": "0",
        "timeout": "4",
        "allowed_private": str([served.place(name) for name in names]),
        **settings,
    }
    text = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (folder / "iprwatch.toml").write_text(text, encoding="utf-8")


def test_every_fault_has_its_name_and_stops_no_other_source(tmp_path: Path) -> None:
    given = faults("127.0.0.1:1")
    hosts = {"canary": site()} | {name: behaviour for name, (behaviour, _) in given.items()}
    hosts |= dict.fromkeys(HEALTHY, site())
    secure = frozenset({"unknowncertificate"})
    with serve_site(hosts, secure=secure, context=self_signed(tmp_path)) as served:
        # The canary's place is known only now; those who lead to it are told.
        served.behave({name: behaviour for name, (behaviour, _) in faults(served.place("canary")).items()})
        configure(tmp_path, served, [name for name in hosts if name != "canary"])
        # One repetition is enough to see that there is one; each waits for the hosts that say nothing.
        ran = iprwatch(
            "crawl", "--json", cwd=tmp_path, first="import crawlers.settings as s; s.RETRY_TIMES = 1"
        )
        shown = iprwatch("status", "--json", cwd=tmp_path)
    found = {run["key"].removeprefix("cnipa_"): run for run in ran.json["sources"]}
    wanted = {name: state for name, (_, state) in given.items()} | dict.fromkeys(HEALTHY, "ok")
    assert {name: run["state"] for name, run in found.items()} == wanted, ran.out
    verdicts = {one["key"].removeprefix("cnipa_"): one["verdict"] for one in shown.json}
    judged = {name: VERDICTS.get(state, state) for name, state in wanted.items()} | OTHER_VERDICTS
    assert (shown.code, verdicts) == (1, judged)
    assert all(found[name]["counts"]["new"] == 3 for name in HEALTHY)
    assert served.asked("canary") == []
    assert served.pages("robotsclosed") == []
    # Five failures in a row are enough; the other articles are left for the next run.
    assert "CertificateRefused: the certificate of 127.0.0." in found["unknowncertificate"]["reason"]
    log = (tmp_path / "data" / "crawl.log").read_text("utf-8")
    assert "A certificate was refused: Certificate does not contain any" in log
    assert "Traceback" not in ran.err + log
    counts = found["brokenarticles"]["counts"]
    assert counts["held"] > 0
    assert len(served.pages("brokenarticles")) == 1 + 5


def test_15_sources_of_20_are_complete_while_5_fail(tmp_path: Path) -> None:
    names = ("refused", "reset", "error500", "challenge412", "layout")
    given = {name: faults("127.0.0.1:1")[name] for name in names}
    hosts = {name: behaviour for name, (behaviour, _) in given.items()} | dict.fromkeys(HEALTHY, site())
    with serve_site(hosts) as served:
        configure(tmp_path, served, hosts)
        ran = iprwatch("crawl", "--json", cwd=tmp_path)
    found = {run["key"].removeprefix("cnipa_"): run for run in ran.json["sources"]}
    assert len(found) == 20
    assert {name: found[name]["state"] for name in names} == {
        name: state for name, (_, state) in given.items()
    }
    assert [found[name]["state"] for name in HEALTHY] == ["ok"] * 15
    assert [found[name]["counts"]["new"] for name in HEALTHY] == [3] * 15


def test_bombs_and_endless_answers_stay_below_200_mib_of_memory(tmp_path: Path) -> None:
    hosts = {f"bomb{coding}": site(page=explode(coding, 300 * MEGABYTE)) for coding in CODINGS}
    hosts |= {f"pouring{number}": site(page=pour) for number in range(2)}
    hosts |= {"endlesshead": site(page=head_without_end)}
    with serve_site(hosts) as served:
        configure(tmp_path, served, hosts, timeout="60")
        measured = subprocess.run(
            [sys.executable, "-c", MEASURE, sys.executable, "-m", "cli", "crawl", "--json"],
            cwd=tmp_path, env=environment(tmp_path), capture_output=True, encoding="utf-8", check=True,
        )  # fmt: skip
    code, most = map(int, measured.stdout.split())
    assert code == 1
    assert [name for name in hosts if not served.pages(name)] == []
    assert most < MEMORY, most
