"""Sources: what a table must say, and that nonsense is refused with file, key and fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from pydantic import ValidationError

from crawlers.readers import READERS
from crawlers.source import INBOX_READER, Source, load_sources
from errors import ConfigurationError

TABLE: dict[str, Any] = {
    "key": "court_example",
    "reader": "court_gov",
    "url": "https://www.court.gov.cn/fabu/gengduo/99.html",
    "name_zh": "例",
    "name_en": "Example",
    "publisher_zh": "某法院",
    "publisher_en": "Some court",
    "topics": ("case",),
    "crontab": "0 9 * * mon-fri",
    "least": 5,
    "proven": False,
}
TOML = """[court_example]
reader = "court_gov"
url = "https://www.court.gov.cn/fabu/gengduo/99.html"
name_zh = "例"
name_en = "Example"
publisher_zh = "某法院"
publisher_en = "Some court"
topics = ["case"]
crontab = "0 9 * * mon-fri"
least = 5
proven = false
"""


def fault(**changes: Any) -> str:
    """What is said of a source with these changes."""
    with pytest.raises(ValidationError) as caught:
        Source.model_validate({**TABLE, **changes})
    return str(caught.value)


def test_every_built_in_source_is_valid_and_its_crontab_runs() -> None:
    sources = load_sources()
    assert len(sources) > 5
    assert all(CronTrigger.from_crontab(source.crontab) for source in sources.values())
    assert {source.reader for source in sources.values()} <= {*READERS, INBOX_READER}


@pytest.mark.parametrize(("reader", "url"), [("inbox", TABLE["url"]), ("court_gov", "inbox:")])
def test_the_url_of_the_inbox_is_the_inboxs_alone(reader: str, url: str) -> None:
    assert "url" in fault(reader=reader, url=url)


def test_the_family_is_the_first_part_of_the_key() -> None:
    assert Source.model_validate({**TABLE, "key": "court_ipc_cases"}).family == "court"


def test_an_old_server_with_an_unverified_certificate_is_refused() -> None:
    assert "verify_certificate: the certificate of a source with legacy_tls" in fault(
        legacy_tls=True, verify_certificate=False
    )


def test_spaces_around_a_value_are_not_part_of_it() -> None:
    assert Source.model_validate({**TABLE, "name_zh": " 例\n"}).name_zh == "例"


def test_a_source_cannot_be_changed() -> None:
    source = Source.model_validate(TABLE)
    with pytest.raises(ValidationError, match="frozen"):
        source.least = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    "crontab",
    ["0 9 * * mon-fri", "*/15 8-18 * * *", "30 7,19 * * sat,sun", "0 9 1 * *", "0 9 * * mon-wed,fri"],
)
def test_a_crontab_with_day_names_is_taken(crontab: str) -> None:
    assert Source.model_validate({**TABLE, "crontab": crontab}).crontab == crontab


@pytest.mark.parametrize(
    "crontab",
    ["", "0 9 * *", "0 9 * * * *", "0 9 * * 1-5", "0 9 * * montag", "0 9 * * fri-mon", "0 9 * * ,mon",
     "99 9 * * mon", "0 24 * * *", "x 9 * * *", "0 9 32 * *", "0 9 * 13 *", "0 9 * * MON", "0 9 31 2 *"],
)  # fmt: skip
def test_a_crontab_that_would_not_run_as_written_is_refused(crontab: str) -> None:
    assert "crontab" in fault(crontab=crontab)


@pytest.mark.parametrize(
    "url",
    ["", "www.court.gov.cn", "/fabu/", "ftp://court.gov.cn/", "javascript:alert(1)", "http://", "http://[1",
     "http://x.cn:99999/", "http://x.cn:0/", "file:///etc/passwd", "https://me:word@x.cn/", "https://x.cn/a b", "https://x.cn\\\\y.cn/"],
)  # fmt: skip
def test_a_url_that_cannot_be_fetched_is_refused(url: str) -> None:
    assert "url" in fault(url=url)
    assert "referer" in fault(referer=url)


@pytest.mark.parametrize(
    ("key", "value"),
    [("least", "5"), ("least", True), ("least", 5.0), ("depth", "1"), ("proven", "yes"), ("proven", 1),
     ("only_ip", "false"), ("verify_certificate", "no"), ("legacy_tls", 1), ("topics", "law")],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(key: str, value: object) -> None:
    assert key in fault(**{key: value})


def test_a_key_beside_that_of_the_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TOML + 'key = "court_other"\n', "utf-8")
    with pytest.raises(
        ConfigurationError, match=r"mine\.toml: source 'court_example': key: it is the table's"
    ):
        load_sources([file])


def test_a_file_with_the_mark_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TOML, "utf-8-sig")
    assert list(load_sources([file], built_in=False)) == ["court_example"]


@pytest.mark.parametrize(
    "key", ["", "court", "Court_x", "court_", "_court", "court-x", "court_x y", "museum_x", "court_x\ny"]
)
def test_a_key_must_name_a_family_and_a_list(key: str) -> None:
    assert "must read <family>_<what>" in fault(key=key)


def test_a_key_that_no_column_holds_is_refused() -> None:
    assert "longer than 100" in fault(key="court_" + "x" * 100)


@pytest.mark.parametrize(
    "changes",
    [
        {"least": -1}, {"least": 1001}, {"least": "many"}, {"depth": 0}, {"depth": 101},
        {"topics": "case"}, {"topics": None}, {"name_zh": " "}, {"name_en": "x" * 401}, {"reader": "curt_gov"},
        {"selector": "li"}, {"hours": "25:00-3"}, {"proxy": 1},
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_under_its_name(changes: dict[str, Any]) -> None:
    (name,) = changes
    assert name in fault(**changes)


@pytest.mark.parametrize("name", [name for name in TABLE if name != "key"])
def test_no_value_has_a_default_that_guesses(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Source.model_validate({key: value for key, value in TABLE.items() if key != name})


def test_own_files_add_to_the_built_in_sources(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TOML, encoding="utf-8")
    assert set(load_sources([own])) == {*load_sources(), "court_example"}
    assert list(load_sources([own], built_in=False)) == ["court_example"]


def test_a_key_in_two_files_is_refused_naming_the_second(tmp_path: Path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(TOML, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"two\.toml: the source 'court_example' exists already"):
        load_sources([tmp_path / "one.toml", tmp_path / "two.toml"], built_in=False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[court_example", "not valid TOML"),
        ("name = '例'".encode("gb18030"), "not valid TOML"),
        (b"court_example = 1", "must be a table"),
        (TOML.replace("least = 5", "least = 'x'").encode(), "source 'court_example': least: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_sources([own])
    assert str(own) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: can't be read"):
        load_sources([tmp_path / "none.toml"])
