"""Adding a source: from a page that a person found to an entry that loads and crawls."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.adding import AddingError, append_entry, look_at, make_entry
from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.replay import find_recordings
from crawlers.source import load_sources
from tests.command import Ran, iprwatch
from tests.crawl.test_live import HTML, answer, watched
from tests.loopback import Said

LIST = "https://www.court.gov.cn/fabu/gengduo/9151.html"
LIST_PAGE = "court_gov/list_151/page.html"
WECHAT_PAGE = "wechat/article_type_0_2026/page.html"
WECHAT = "https://mp.weixin.qq.com/s/Ip0watch0Adding0Page00"
ALBUM = (
    "https://mp.weixin.qq.com/mp/appmsgalbum?action=getalbum&__biz=MzkwMDAwMDAwMQ=="
    "&album_id=2900000000000000001&count=20&f=json"
)
NAMES = {
    "name_zh": "示例“甲”",
    "name_en": 'Example "A"',
    "publisher_zh": "某\\法院",
    "publisher_en": "Some court",
}
OPTIONS = [part for name, value in NAMES.items() for part in ("--" + name.replace("_", "-"), value)]
ONE = f"""# My own sources
[court_mine]
reader = "court_gov"
url = "{LIST}"
name_zh = "一"
name_en = "One"
publisher_zh = "一"
publisher_en = "One"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true"""


def add(
    folder: Path,
    url: str,
    page: Path | str,
    key: str | None = "court_added",
    to: str = "mine.toml",
    further: Sequence[str] = (),
) -> Ran:
    named = [*(["--key", key] if key else []), *further]
    return iprwatch("sources", "add", url, "--file", page, "--to", to, *named, *OPTIONS, cwd=folder)


def with_album(samples: Path, folder: Path) -> Path:
    """A saved WeChat article that names its album as articles do, in a script."""
    link = (
        "https://mp.weixin.qq.com/mp/appmsgalbum?__biz=MzkwMDAwMDAwMQ==\\x26amp;action=getalbum"
        "\\x26amp;album_id=2900000000000000001#wechat_redirect"
    )
    page = (
        (samples / WECHAT_PAGE)
        .read_text("utf-8")
        .replace("</body>", f"<script>var a = '{link}';</script></body>")
    )
    file = folder / "article.html"
    file.write_text(page, "utf-8")
    assert link in page
    return file


def test_a_list_page_becomes_an_entry_that_loads(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, LIST, samples / LIST_PAGE)
    assert ran.code == 0, ran.err
    assert "Reader: court_gov. Entries: 6." in ran.out
    assert 'source_files = ["mine.toml"]' in ran.out
    source = load_sources([tmp_path / "mine.toml"], built_in=False)["court_added"]
    assert (source.reader, source.url, source.least, source.proven) == ("court_gov", LIST, 3, False)
    assert {name: getattr(source, name) for name in NAMES} == NAMES


def test_a_feed_is_watched_under_its_own_url(samples: Path, tmp_path: Path) -> None:
    url = "https://blog.example.org/ip/feed/"
    ran = add(tmp_path, url, samples / "feed/rss_full_text/page.xml", "media_blog")
    assert ran.code == 0, ran.err
    source = load_sources([tmp_path / "mine.toml"], built_in=False)["media_blog"]
    assert (source.reader, source.url, source.least) == ("feed", url, 1)


def test_a_wechat_article_leads_to_its_album(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, WECHAT, with_album(samples, tmp_path), "wechat_added")
    assert ran.code == 0, ran.err
    assert "(MzkwMDAwMDAwMQ==)" in ran.out
    source = load_sources([tmp_path / "mine.toml"], built_in=False)["wechat_added"]
    assert (source.reader, source.url) == ("album", ALBUM)


def test_the_album_of_another_account_that_an_article_names_is_not_taken(
    samples: Path, tmp_path: Path
) -> None:
    other = "/mp/appmsgalbum?__biz=MzkwMDAwMDAwMg==&amp;action=getalbum&amp;album_id=2900000000000000002"
    file = with_album(samples, tmp_path)
    said = file.read_text("utf-8").replace("<body", f"<!-- {other} --><body", 1)
    page = Page(WECHAT, said.encode(), datetime(2026, 11, 20, tzinfo=UTC))
    assert other in said
    assert look_at(page).ways["album"] == ALBUM


def test_an_account_without_album_can_be_followed_with_a_login(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, WECHAT, samples / WECHAT_PAGE, "wechat_added", further=["--by", "backend"])
    assert ran.code == 0, ran.err
    assert "MP_WXS_3900000001" in ran.out
    source = load_sources([tmp_path / "mine.toml"], built_in=False)["wechat_added"]
    assert (source.reader, source.proven) == ("wechat_backend", False)
    assert "fakeid=MzkwMDAwMDAwMQ%3D%3D" in source.url
    assert source.url.endswith("token=")


def test_the_token_of_a_session_is_not_written(samples: Path, tmp_path: Path) -> None:
    folder = samples / "wechat_backend/publish_list"
    url = json.loads((folder / "page.json").read_text("utf-8"))["url"]
    assert "token=1000000001" in url
    ran = add(tmp_path, url, folder / "page.txt", "wechat_added")
    assert ran.code == 0, ran.err
    assert "1000000001" not in (tmp_path / "mine.toml").read_text("utf-8").replace("MzkwMDAwMDAwMQ", "")
    refused = add(tmp_path, url, folder / "page.txt", "media_added")
    assert refused.code == 2
    assert "needs a key that starts with wechat_" in refused.err


def test_a_sample_is_saved_on_request(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, LIST, samples / LIST_PAGE, further=["--save", "kept"])
    assert ran.code == 0, ran.err
    (recording,) = find_recordings(tmp_path / "kept")
    assert recording.path == tmp_path / "kept/court_gov/court_added_list/page.html"
    assert (recording.url, recording.path.read_bytes()) == (LIST, (samples / LIST_PAGE).read_bytes())


def test_a_wechat_article_without_album_is_refused_with_the_other_ways(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, WECHAT, samples / WECHAT_PAGE, "wechat_added")
    assert ran.code == 2
    assert "belongs to no album" in ran.err
    assert "wewe-rss" in ran.err
    assert not (tmp_path / "mine.toml").exists()


def test_an_ordinary_article_is_refused_with_the_way_out(samples: Path, tmp_path: Path) -> None:
    url = "https://www.court.gov.cn/fabu/xiangqing/512991.html"
    ran = add(tmp_path, url, samples / "court_gov/article_512991/page.html")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "is an article, not a list" in ran.err
    assert "`iprwatch add`" in ran.err


def test_names_that_are_missing_are_told_in_one_sentence(samples: Path, tmp_path: Path) -> None:
    ran = iprwatch(
        "sources",
        "add",
        LIST,
        "--file",
        samples / LIST_PAGE,
        "--to",
        "mine.toml",
        "--name-zh",
        "一",
        cwd=tmp_path,
    )
    assert ran.code == 2
    assert ran.err == "iprwatch: The entry still needs: --key --name-en --publisher-zh --publisher-en.\n"
    assert not (tmp_path / "mine.toml").exists()


def test_a_key_that_is_configured_already_is_refused(samples: Path, tmp_path: Path) -> None:
    ran = add(tmp_path, LIST, samples / LIST_PAGE, "court_spc_news")
    assert ran.code == 2
    assert "'court_spc_news' exists already" in ran.err
    assert not (tmp_path / "mine.toml").exists()


def test_a_key_that_only_the_file_holds_is_refused_too(samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(ONE, "utf-8")
    ran = add(tmp_path, LIST, samples / LIST_PAGE, "court_mine")
    assert ran.code == 2
    assert "mine.toml: the source 'court_mine' exists already" in ran.err
    assert file.read_text("utf-8") == ONE


@pytest.mark.parametrize("other", ["", "#top", "?utm_source=x"])
def test_a_url_that_is_watched_already_is_refused_with_the_key(
    samples: Path, tmp_path: Path, other: str
) -> None:
    ran = add(tmp_path, f"http://www.court.gov.cn/fabu/gengduo/151.html{other}", samples / LIST_PAGE)
    assert ran.code == 2
    assert "watched already, as court_spc_guiding_cases" in ran.err
    assert not (tmp_path / "mine.toml").exists()


@pytest.mark.parametrize("key", ["court", "news_x", "court_X", "court_", "court mine"])
def test_a_key_of_another_form_is_refused_with_the_form(samples: Path, key: str) -> None:
    look = look_at(Page(LIST, (samples / LIST_PAGE).read_bytes(), datetime(2026, 11, 20, tzinfo=UTC)))
    with pytest.raises(AddingError, match="<family>_<what>"):
        make_entry(look, LIST, {"key": key, **NAMES}, "0 9 * * mon", live=False)


@pytest.mark.parametrize("url", ["http://[bad", LIST.removeprefix("https://"), "javascript:1", f"{LIST} #x"])
def test_what_is_no_web_address_is_refused_for_a_saved_page_too(
    samples: Path, tmp_path: Path, url: str
) -> None:
    ran = add(tmp_path, url, samples / LIST_PAGE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"iprwatch: {url!r} can't be watched: "), ran.err
    assert not (tmp_path / "mine.toml").exists()


def test_the_sentence_that_an_address_stood_in_is_not_part_of_it(samples: Path, tmp_path: Path) -> None:
    assert add(tmp_path, f"{LIST}。", samples / LIST_PAGE).code == 0
    assert load_sources([tmp_path / "mine.toml"], built_in=False)["court_added"].url == LIST


def test_a_small_file_that_unpacks_to_more_than_a_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.gz").write_bytes(gzip.compress(b"<p>" * 20_000_000))
    ran = add(tmp_path, LIST, "page.gz")
    assert ran.code == 2
    assert "page.gz: larger than 50 MB" in ran.err


def test_a_title_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(FEED.replace("一".encode(), "一&#x9b;31m\u202e二".encode()))
    ran = add(tmp_path, "https://blog.example.org/feed/", "feed.xml", "media_blog")
    assert ran.code == 0, ran.err
    assert "  no date  一31m二\n" in ran.out


def test_a_crontab_with_numbered_days_is_refused(samples: Path, tmp_path: Path) -> None:
    ran = iprwatch(
        "sources", "add", LIST, "--file", samples / LIST_PAGE, "--to", "mine.toml", "--key", "court_added",
        *OPTIONS, "--crontab", "0 9 * * 1-5", cwd=tmp_path,
    )  # fmt: skip
    assert ran.code == 2
    assert "day names" in ran.err


def test_a_list_that_shows_nothing_proves_nothing(samples: Path) -> None:
    url = "https://wewe.example.org/feeds/MP_WXS_3900000002.rss"
    body = next((samples / "feed/empty").glob("page.[!j]*")).read_bytes()
    with pytest.raises(AddingError, match="lists nothing now"):
        look_at(Page(url, body, datetime(2026, 11, 20, tzinfo=UTC)))


def test_a_page_of_no_known_site_is_refused_by_name() -> None:
    page = Page(
        "https://www.example.org/", b"<html><body>hello</body></html>", datetime(2026, 11, 20, tzinfo=UTC)
    )
    with pytest.raises(LayoutChanged, match=r"https://www\.example\.org/"):
        look_at(page)


@pytest.mark.parametrize("before", [b"[court_mine\n", b"\xff\xfe[\x00a\x00]\x00", b"court_mine = \n"])
def test_a_file_that_is_no_toml_is_left_as_it_was(tmp_path: Path, before: bytes) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(before)
    with pytest.raises(AddingError, match=r"mine\.toml: is not valid TOML"):
        append_entry(file, "court_added", {"reader": "court_gov"})
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(ONE, "utf-8")
    (tmp_path / "mine.toml.part").mkdir()
    with pytest.raises(AddingError, match=r"mine\.toml: can't be written"):
        append_entry(file, "court_added", {"reader": "court_gov"})
    assert file.read_text("utf-8") == ONE


@pytest.mark.parametrize("place", [".", "none/mine.toml"])
def test_a_place_that_is_no_file_is_refused(samples: Path, tmp_path: Path, place: str) -> None:
    ran = add(tmp_path, LIST, samples / LIST_PAGE, to=place)
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "can't be written" in ran.err


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_the_mark_of_windows_are_kept(tmp_path: Path, mark: bytes) -> None:
    file = tmp_path / "mine.toml"
    before = mark + ONE.replace("\n", "\r\n").encode()
    file.write_bytes(before)
    append_entry(file, "court_added", {"reader": "court_gov"})
    assert file.read_bytes() == before + b'\r\n\r\n[court_added]\r\nreader = "court_gov"\r\n'


def test_a_link_to_the_file_stays_a_link_and_the_file_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "kept.toml", tmp_path / "mine.toml"
    file.write_text(ONE, "utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    append_entry(link, "court_added", {"reader": "court_gov"})
    assert link.is_symlink()
    assert "court_added" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o640


def test_no_entry_is_lost_when_several_are_added_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    keys = [f"court_{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: append_entry(file, key, {"reader": "court_gov"}), keys))
    assert sorted(tomllib.loads(file.read_text("utf-8"))) == sorted(keys)


@pytest.mark.parametrize("before", ['contact = "me@example.com"\n', '[channels.log]\nkind = "file"\n'])
def test_the_configuration_is_no_file_of_sources(tmp_path: Path, before: str) -> None:
    file = tmp_path / "iprwatch.toml"
    file.write_text(before, "utf-8")
    with pytest.raises(AddingError, match=r"iprwatch\.toml: 'c\w+' is no source"):
        append_entry(file, "court_added", {"reader": "court_gov"})
    assert file.read_text("utf-8") == before


def test_what_is_to_be_written_into_the_configuration_names_all_files(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE, "utf-8")
    (tmp_path / "office").mkdir()
    (tmp_path / "office/iprwatch.toml").write_text('source_files = ["../one.toml"]\n', "utf-8")
    ran = iprwatch(
        "--config", "office/iprwatch.toml", "sources", "add", f"{LIST}?other", "--file", samples / LIST_PAGE,
        "--to", "mine.toml", "--key", "court_added", *OPTIONS, cwd=tmp_path,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert (
        'office/iprwatch.toml, above the first [table]: source_files = ["../one.toml", "../mine.toml"]'
        in ran.out
    )


def test_what_stood_in_the_file_stays_word_for_word(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(ONE, "utf-8")
    append_entry(
        file, "court_added", {"name_zh": 'a"\\\n\x7f', "least": 1, "proven": True, "topics": ["law"]}
    )
    text = file.read_text("utf-8")
    assert text.startswith(ONE + "\n")
    assert tomllib.loads(text)["court_added"] == {
        "name_zh": 'a"\\\n\x7f', "least": 1, "proven": True, "topics": ["law"],
    }  # fmt: skip


def test_the_new_source_crawls(office: Path) -> None:
    page = office / "web/court_gov/list_16_page_2"
    url = "https://www.court.gov.cn/fabu/gengduo/16_2.html"
    assert add(office, url, page / "page.html", to="sources.toml").code == 0
    ran = iprwatch("crawl", "court_added", "--replay", "web", "--json", cwd=office)
    (source,) = ran.json["sources"]
    assert (ran.code, source["state"], source["counts"]["links"]) == (0, "ok", 4), source


def live(folder: Path, url: str) -> Ran:
    return iprwatch("sources", "add", url, "--to", "mine.toml", "--key", "media_added", *OPTIONS, cwd=folder)


FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>'
    "<item><title>一</title><link>https://www.example.org/1.html</link></item></channel></rss>"
).encode()


def show_feed(path: str, n: int) -> Said:
    return Said(200, FEED, {"Content-Type": "text/xml"}) if path == "/feed.xml" else answer(path, n)


def test_a_live_page_is_fetched_once_and_proven(tmp_path: Path) -> None:
    with watched(tmp_path, show_feed) as server:
        ran = live(tmp_path, f"{server.url}/feed.xml")
        assert ran.code == 0, ran.err
        url = f"{server.url}/feed.xml"
    assert server.paths() == ["/robots.txt", "/feed.xml"]
    source = load_sources([tmp_path / "mine.toml"], built_in=False)["media_added"]
    assert (source.reader, source.url, source.proven) == ("feed", url, True)


def test_a_closed_host_is_not_fetched_until_it_was_allowed_on_record(tmp_path: Path) -> None:
    def forbid(path: str, n: int) -> Said:
        return Said(200, b"User-agent: *\nDisallow: /\n") if path == "/robots.txt" else show_feed(path, n)

    with watched(tmp_path, forbid) as server:
        ran = live(tmp_path, f"{server.url}/feed.xml")
        assert ran.code == 2
        assert "iprwatch hosts allow 127.0.0.1 /feed.xml --reason" in ran.err
        assert server.pages() == []
        iprwatch("hosts", "allow", "127.0.0.1", "/feed.xml", "--reason", "by letter", cwd=tmp_path)
        assert live(tmp_path, f"{server.url}/feed.xml").code == 0


@pytest.mark.parametrize(
    "said",
    [Said(503, b"busy"), Said(404, b"none", HTML), Said(200, b"<html></html>", HTML), Said(close=True)],
)
def test_a_live_page_that_is_no_list_writes_nothing(tmp_path: Path, said: Said) -> None:
    with watched(tmp_path, lambda path, n: said if path == "/feed.xml" else answer(path, n)) as server:
        ran = live(tmp_path, f"{server.url}/feed.xml")
    assert ran.code == 2
    assert ran.err.count("\n") == 1, ran.err
    assert "Failure" not in ran.err
    assert not (tmp_path / "mine.toml").exists()


@pytest.mark.parametrize("url", ["www.example.org/list.html", "ftp://www.example.org/", "http://[bad"])
def test_what_is_no_web_address_is_refused_in_one_sentence(tmp_path: Path, url: str) -> None:
    with watched(tmp_path, answer):
        ran = live(tmp_path, url)
    assert ran.code == 2
    assert ran.err.count("\n") == 1, ran.err
