"""A look at sources says what each is like now, and stores no item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawlers.replay import open_recorded_web, read_recording
from tests.command import iprwatch
from tests.crawl.test_live import HTML, RECORDS, XML, answer, article, listing, watched
from tests.loopback import Said

PROVEN = "court_spc_guiding_cases"
ARTICLE = "court_gov/article_512991"
CHALLENGE = b"<html><script>$_ts={}</script></html>"


def probe(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, verdict and detail for the one source that was looked at."""
    ran = iprwatch("probe", *arguments, "--json", cwd=folder)
    assert ran.out, ran.err
    (found,) = ran.json
    return ran.code, found["verdict"], found["detail"]


def replayed(office: Path, key: str = PROVEN) -> tuple[int, str, str]:
    return probe(office, key, "--replay", "web")


def edit_note(office: Path, case: str, **values: object) -> None:
    note = office / "web" / case / "page.json"
    note.write_text(json.dumps(json.loads(note.read_text("utf-8")) | values), "utf-8")


def test_a_source_that_reads_as_its_reader_expects_is_said_to(office: Path) -> None:
    code, verdict, detail = replayed(office)
    assert (code, verdict) == (0, "as expected")
    assert detail.startswith("6 entries; read '指导性案例291号")


def test_an_article_of_another_layout_is_changed(office: Path) -> None:
    (office / "web" / ARTICLE / "page.html").write_text("<html><body>网站改版</body></html>", "utf-8")
    code, verdict, detail = replayed(office)
    assert (code, verdict) == (1, "changed")
    assert "512991.html" in detail


def test_a_list_with_fewer_entries_than_the_source_must_have_is_changed(office: Path) -> None:
    page = office / "web/court_gov/list_151/page.html"
    head, row, _ = page.read_text("utf-8").partition('<div class="sec_list">')
    assert row
    page.write_text(head + row + "<ul></ul></div></body></html>", "utf-8")
    assert replayed(office)[:2] == (1, "changed")


def test_a_refused_list_is_blocked(office: Path) -> None:
    page = office / "web/court_gov/list_151/page.html"
    page.write_bytes((office / "web/court_gov/blocked_412/page.html").read_bytes())
    edit_note(office, "court_gov/list_151", status=412)
    assert replayed(office)[:2] == (1, "blocked")


def test_an_article_that_its_site_has_no_more_is_gone(office: Path) -> None:
    page = office / "web" / ARTICLE / "page.html"
    page.write_bytes((office / "web/court_gov/not_found/page.html").read_bytes())
    edit_note(office, ARTICLE, status=404)
    assert replayed(office)[:2] == (1, "gone")


def test_a_server_in_trouble_is_down(office: Path) -> None:
    (office / "web/court_gov/list_151/page.html").write_bytes(b"<html>busy</html>")
    edit_note(office, "court_gov/list_151", status=503)
    assert replayed(office)[:2] == (1, "down")


def test_a_page_that_the_recorded_web_lacks_is_not_recorded(office: Path) -> None:
    code, verdict, detail = replayed(office, "court_spc_documents")
    assert (code, verdict) == (1, "not recorded")
    assert detail.count("https://www.court.gov.cn/fabu/gengduo/17.html") == 1


def test_an_article_that_was_not_recorded_is_not_covered_by_a_good_list(office: Path) -> None:
    (office / "web" / ARTICLE / "page.json").unlink()
    assert replayed(office)[:2] == (1, "not recorded")


def test_a_feed_that_brings_its_articles_whole_is_judged_by_itself(office: Path) -> None:
    with (office / "sources.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[media_blog]\nreader = "feed"\nurl = "https://blog.example.org/ip/feed/"\nname_zh = "博客"\n'
            'name_en = "Blog"\npublisher_zh = "博客"\npublisher_en = "Blog"\ntopics = []\n'
            'crontab = "0 9 * * *"\nleast = 1\nproven = false\n'
        )
    code, verdict, detail = replayed(office, "media_blog")
    assert (code, verdict) == (0, "as expected"), detail
    assert detail.startswith("2 entries; read ")


def test_one_source_that_is_not_well_makes_the_exit_code_1_and_hides_no_other(office: Path) -> None:
    ran = iprwatch("probe", "court_spc_documents", PROVEN, "--replay", "web", "--json", cwd=office)
    assert ran.code == 1
    assert [found["verdict"] for found in ran.json] == ["not recorded", "as expected"]


def test_without_keys_every_source_that_has_a_page_is_looked_at(office: Path) -> None:
    ran = iprwatch("probe", "--replay", "web", "--json", cwd=office)
    keys = {source["key"] for source in iprwatch("sources", "--json", cwd=office).json}
    assert {found["key"] for found in ran.json} == keys - {"inbox_links"}
    assert "down" not in {found["verdict"] for found in ran.json}


def test_the_inbox_is_no_page_to_look_at(office: Path) -> None:
    ran = iprwatch("probe", "inbox_links", "--replay", "web", cwd=office)
    assert ran.code == 2
    assert "inbox_links" in ran.err


def test_a_source_that_does_not_exist_is_wrong_usage(office: Path) -> None:
    ran = iprwatch("probe", "court_none", "--replay", "web", cwd=office)
    assert ran.code == 2
    assert "'court_none'" in ran.err


def test_a_replay_proves_nothing_about_the_live_page(office: Path) -> None:
    assert replayed(office)[0] == 0
    assert not confirmed(office, PROVEN)


def confirmed(folder: Path, key: str) -> bool:
    (found,) = (
        source["confirmed_by_probe"]
        for source in iprwatch("sources", "--json", cwd=folder).json
        if source["key"] == key
    )
    assert isinstance(found, bool)
    return found


def test_a_live_probe_that_was_as_expected_confirms_the_source_and_stores_no_item(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        assert not confirmed(tmp_path, "cnipa_loopback")
        code, verdict, detail = probe(tmp_path)
    assert (code, verdict) == (0, "as expected"), detail
    assert [seen.path for seen in server.pages()] == [RECORDS, "/art/2026/11/18/art_74_1.html"]
    assert confirmed(tmp_path, "cnipa_loopback")
    assert iprwatch("search", "--json", cwd=tmp_path).json["total"] == 0


def test_the_newest_probe_counts(tmp_path: Path) -> None:
    broken = {"on": False}
    with watched(tmp_path, lambda path, n: Said(503) if broken["on"] else answer(path, n)):
        probe(tmp_path)
        broken["on"] = True
        probe(tmp_path)
    assert not confirmed(tmp_path, "cnipa_loopback")


@pytest.mark.parametrize(
    ("place", "said", "verdict"),
    [
        (RECORDS, Said(200, b"<html><body>hello</body></html>", HTML), "changed"),
        (RECORDS, Said(412, CHALLENGE, HTML), "blocked"),
        (RECORDS, Said(close=True), "down"),
        (RECORDS, Said(503, b"busy"), "down"),
        ("/art/2026/11/18/art_74_1.html", Said(200, b"<html><body>hello</body></html>", HTML), "changed"),
        ("/art/2026/11/18/art_74_1.html", Said(412, CHALLENGE, HTML), "blocked"),
        ("/art/2026/11/18/art_74_1.html", Said(close=True), "down"),
        ("/robots.txt", Said(close=True), "down"),
        ("/robots.txt", Said(200, b"User-agent: *\nDisallow: /\n"), "closed by robots"),
        ("/robots.txt", Said(200, b"User-agent: *\nDisallow: /art/\n"), "closed by robots"),
    ],
)
def test_a_live_page_gets_its_true_name(tmp_path: Path, place: str, said: Said, verdict: str) -> None:
    with watched(tmp_path, lambda path, n: said if path == place else answer(path, n)):
        code, found, detail = probe(tmp_path)
    assert (code, found) == (1, verdict)
    assert "Failure" not in detail


def test_a_closed_host_is_looked_at_once_it_was_allowed_on_record(tmp_path: Path) -> None:
    def forbid(path: str, n: int) -> Said:
        return Said(200, b"User-agent: *\nDisallow: /\n") if path == "/robots.txt" else answer(path, n)

    with watched(tmp_path, forbid) as server:
        detail = probe(tmp_path)[2]
        assert "iprwatch hosts allow 127.0.0.1 /module/web/jpage/dataproxy.jsp --reason" in detail
        assert server.pages() == []
        iprwatch("hosts", "allow", "127.0.0.1", "/", "--reason", "agreed by letter", cwd=tmp_path)
        assert probe(tmp_path)[:2] == (0, "as expected")


def test_the_referer_that_a_source_names_is_sent(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        with (tmp_path / "sources.toml").open("a", encoding="utf-8") as file:
            file.write('referer = "https://www.example.org/"\n')
        probe(tmp_path)
    assert server.pages()[0].headers["referer"] == "https://www.example.org/"


def test_a_page_that_took_too_long_is_slow_and_still_proof(tmp_path: Path) -> None:
    def late(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(said.status, said.body, said.headers, pause=0.5 if "/art/" in path else 0.0)

    with watched(tmp_path, late):
        ran = iprwatch(
            "probe", "--json", cwd=tmp_path, first="import crawlers.probe\ncrawlers.probe.SLOW = 0.2"
        )
    (found,) = ran.json
    assert (ran.code, found["verdict"]) == (1, "slow")
    assert found["seconds"] > 0.2
    assert confirmed(tmp_path, "cnipa_loopback")


def test_a_reader_that_fails_on_a_page_is_never_taken_for_as_expected(tmp_path: Path) -> None:
    broken = (
        "import crawlers.probe\n"
        "def fail(*arguments): raise KeyError('title')\n"
        "crawlers.probe.reader_for = fail"
    )
    with watched(tmp_path, answer):
        ran = iprwatch("probe", "--json", cwd=tmp_path, first=broken)
    (found,) = ran.json
    assert (ran.code, found["verdict"]) == (1, "changed")
    assert "KeyError" in found["detail"]


def test_saved_pages_are_sample_cases(tmp_path: Path) -> None:
    with watched(tmp_path, answer):
        probe(tmp_path, "--save", "probed")
    cases = tmp_path / "probed" / "hanweb"
    assert sorted(path.name for path in cases.iterdir()) == ["cnipa_loopback_article", "cnipa_loopback_list"]
    page = read_recording(cases / "cnipa_loopback_article" / "page.json").open_page()
    assert (page.status, page.body) == (200, article("/art/2026/11/18/art_74_1.html"))
    assert read_recording(cases / "cnipa_loopback_list" / "page.json").open_page().body == listing(
        [1, 2, 3, 4, 5]
    )
    assert probe(tmp_path, "--replay", "probed")[:2] == (0, "as expected")


def test_a_page_that_cannot_be_saved_is_judged_all_the_same_and_the_fault_is_told(tmp_path: Path) -> None:
    (tmp_path / "probed").mkdir()
    (tmp_path / "probed/hanweb").write_text("a file", "ascii")
    with watched(tmp_path, answer):
        ran = iprwatch("probe", "--save", "probed", "--json", cwd=tmp_path)
    assert [found["verdict"] for found in ran.json] == ["as expected"]
    assert ran.code == 2
    assert "probed/hanweb/cnipa_loopback_article: the page can't be saved there" in ran.err


def test_inspect_reads_a_saved_page(office: Path) -> None:
    assert probe(office, PROVEN, "--replay", "web", "--save", "probed")[0] == 0
    case = office / "probed/court_gov" / f"{PROVEN}_article"
    url = read_recording(case / "page.json").url
    ran = iprwatch("inspect", "page", case / "page.html", "--url", url, cwd=office)
    assert "指导性案例291号" in ran.out, ran.err


def test_saving_again_replaces_a_page_of_another_kind(tmp_path: Path) -> None:
    now = {"said": Said(200, listing([1, 2]), XML)}
    with watched(tmp_path, lambda path, n: now["said"] if path == RECORDS else answer(path, n)):
        probe(tmp_path, "--save", "probed")
        now["said"] = Said(412, CHALLENGE, HTML)
        probe(tmp_path, "--save", "probed")
    case = tmp_path / "probed/hanweb/cnipa_loopback_list"
    assert sorted(path.name for path in case.iterdir()) == ["page.html", "page.json"]
    assert open_recorded_web(tmp_path / "probed")


def test_a_folder_that_nothing_can_be_saved_into_is_refused_before_anything_is_fetched(
    tmp_path: Path,
) -> None:
    (tmp_path / "probed").write_text("a file", "ascii")
    with watched(tmp_path, answer) as server:
        ran = iprwatch("probe", "--save", "probed", cwd=tmp_path)
    assert ran.code == 2
    assert "probed: pages can't be saved there" in ran.err
    assert server.seen == []
