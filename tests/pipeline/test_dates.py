"""Printed dates: right, or refused with a reason."""

from __future__ import annotations

import csv
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.notice import PrintedDate
from pipeline.dates import (
    SHANGHAI,
    DateValue,
    choose,
    parse_date,
    parse_dates,
    parse_twelve_hour,
    parse_unix,
    read_own_date,
    settle,
)

_CASES = tomllib.loads(Path(__file__).with_name("date_cases.toml").read_text(encoding="utf-8"))
BASE: datetime = _CASES.pop("base")


_READ = [
    pytest.param(*case, id=f"{group}: {case[0]}") for group, cases in _CASES.items() for case in cases["read"]
]
_REFUSED = [
    pytest.param(*case, id=f"{group}: {case[0] or 'nothing'}")
    for group, cases in _CASES.items()
    for case in cases["refused"]
]


def _expected(text: str) -> tuple[date | datetime, str]:
    if "T" not in text:
        return date.fromisoformat(text), "day"
    moment = datetime.fromisoformat(text)
    clock = text.partition("T")[2].partition("+")[0].partition("-")[0]
    precision = "second" if clock.count(":") == 2 else "minute"
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)), precision


@pytest.mark.parametrize(("printed", "expected", "method", "meaning", "inferred"), _READ)
def test_a_printed_date_is_read_right(
    printed: str, expected: str, method: str, meaning: str, inferred: bool
) -> None:
    value, precision = _expected(expected)
    read = parse_date(printed, base=BASE)
    assert (read.value, read.precision, read.method, read.reason) == (value, precision, method, None)
    assert (read.meaning or "", read.inferred, read.raw) == (meaning, inferred, printed)


@pytest.mark.parametrize(("printed", "reason"), _REFUSED)
def test_what_is_no_readable_date_is_refused_with_its_reason(printed: str, reason: str) -> None:
    read = parse_date(printed, base=BASE)
    assert (read.value, read.precision, read.zone, read.method) == (None, None, None, None)
    assert (read.reason, read.raw) == (reason, printed)


def test_the_cases_are_at_least_150_dates() -> None:
    assert len(_READ) >= 150


@pytest.mark.parametrize("printed", ["昨天 10:23", "刚刚", "3天前", "2 hours ago"])
def test_relative_words_without_a_base_are_refused(printed: str) -> None:
    assert parse_date(printed).reason == "relative words without a base"


@pytest.mark.parametrize("printed", ["11-20", "11月20日 18:10", "Nov 20"])
def test_a_day_without_a_year_and_without_a_base_is_refused(printed: str) -> None:
    assert parse_date(printed).reason == "no year printed"


def test_a_base_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="zone-aware"):
        parse_date("昨天", base=datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001


def test_the_day_of_a_relative_word_is_the_day_in_china() -> None:
    late = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert parse_date("今天", base=late).value == date(2026, 11, 22)


def test_a_chinese_clock_is_in_shanghai_and_a_plain_date_has_no_zone() -> None:
    assert parse_date("2026-11-20 10:23").zone == "Asia/Shanghai"
    assert parse_date("2026-11-20T10:23:00+08:00").zone == "+08:00"
    assert parse_date("2026-11-20").zone is None


def test_summer_time_of_1988_is_kept() -> None:
    value = parse_date("1988年7月1日8时").value
    assert isinstance(value, datetime)
    assert value.utcoffset() == timedelta(hours=9)


def test_two_labelled_dates_of_a_line_keep_their_meanings() -> None:
    line = "成文日期：2024年09月24日　发布日期：2024年09月30日"
    issued, published = parse_dates(line)
    assert (issued.meaning, issued.value, issued.raw) == (
        "issued",
        date(2024, 9, 24),
        "成文日期：2024年09月24日",
    )
    assert (published.meaning, published.value) == ("published", date(2024, 9, 30))


def test_words_behind_the_dates_can_be_the_labels() -> None:
    values = parse_dates("2026-08-14发布 2026-10-01实施")
    assert [(value.meaning, value.value) for value in values] == [
        ("published", date(2026, 8, 14)),
        ("effective", date(2026, 10, 1)),
    ]


def test_an_impossible_date_does_not_take_its_neighbour_with_it() -> None:
    issued, published = parse_dates("成文日期：2024年02月30日 发布日期：2024年09月30日")
    assert (issued.reason, issued.meaning) == ("impossible date", "issued")
    assert published.value == date(2024, 9, 30)


def test_a_line_with_unlabelled_dates_is_refused_as_a_whole() -> None:
    (value,) = parse_dates("2026-11-20 2026-11-21")
    assert value.reason == "several dates"


def test_unix_seconds_and_milliseconds_are_one_moment_in_shanghai() -> None:
    moment = datetime(2025, 11, 4, 15, 59, 29, tzinfo=SHANGHAI)
    for raw in ("1762243169", "1762243169000"):
        read = parse_unix(raw)
        assert (read.value, read.precision, read.zone) == (moment, "second", "Asia/Shanghai")


@pytest.mark.parametrize(
    "raw", ["", "0", "176224316", "17622431690", "0762243169", "-1762243169", "1762243169.5"]
)
def test_a_field_that_holds_no_unix_time_is_refused(raw: str) -> None:
    assert parse_unix(raw).reason == "not unix seconds or milliseconds"


def test_a_twelve_hour_clock_leaves_the_day_only() -> None:
    read = parse_twelve_hour("2024-06-30 06:44:47")
    assert (read.value, read.precision, read.zone) == (date(2024, 6, 30), "day", None)
    assert read.method == "twelve-hour"


def test_a_twelve_hour_field_without_a_date_is_refused() -> None:
    assert parse_twelve_hour("06:44:47").reason == "clock without a day"


def _printed(*raws: str, **fields: str) -> list[PrintedDate]:
    return [PrintedDate(raw, f"place {at}", **fields) for at, raw in enumerate(raws)]  # type: ignore[arg-type]


def test_the_first_candidate_that_was_read_is_chosen() -> None:
    dating = choose(_printed("置顶", "2026-11-20", "2026-11-19"), BASE)
    assert dating.best is not None
    assert (dating.best.value, dating.place) == (date(2026, 11, 20), "place 1")


def test_every_candidate_stays_in_rank_order() -> None:
    dating = choose(_printed("置顶", "2026-11-20"), BASE)
    assert [(place, value.raw) for place, value in dating.candidates] == [
        ("place 0", "置顶"),
        ("place 1", "2026-11-20"),
    ]


def test_a_finer_clock_of_the_same_day_is_taken() -> None:
    dating = choose(_printed("2026-11-20", "2026-11-20 10:23"), BASE)
    assert dating.best is not None
    assert (dating.best.precision, dating.place, dating.disagreement) == ("minute", "place 1", False)


def test_a_finer_clock_of_another_day_is_not_taken_but_shown() -> None:
    dating = choose(_printed("2026-11-20", "2026-11-19 10:23"), BASE)
    assert dating.best is not None
    assert (dating.best.value, dating.disagreement) == (date(2026, 11, 20), True)


def test_a_printed_year_replaces_an_inferred_one() -> None:
    dating = choose(_printed("11-20", "2023-11-20"), BASE)
    assert dating.best is not None
    assert (dating.best.value, dating.best.inferred, dating.disagreement) == (
        date(2023, 11, 20),
        False,
        False,
    )


def test_moments_in_different_zones_of_one_chinese_day_agree() -> None:
    dating = choose(_printed("2026-11-20", "2026-11-19T20:00:00Z"), BASE)
    assert dating.disagreement is False


def test_a_label_in_the_text_overrides_the_meaning_of_the_reader() -> None:
    dating = choose(_printed("更新时间：2026-11-21", "2026-11-20"), BASE)
    assert dating.best is not None
    assert (dating.best.value, dating.disagreement) == (date(2026, 11, 20), False)


def test_another_meaning_can_be_asked_for() -> None:
    printed = _printed("成文日期：2026-09-24 发布日期：2026-09-30")
    dating = choose(printed, BASE, "issued")
    assert dating.best is not None
    assert dating.best.value == date(2026, 9, 24)


def test_a_published_date_before_1990_is_refused() -> None:
    dating = choose(_printed("1970-01-01"), BASE)
    assert (dating.best, dating.place) == (None, None)
    assert dating.candidates[0][1].reason == "too old for a page's own date"


def test_a_law_may_be_older_than_the_web() -> None:
    dating = choose(_printed("1982-08-23", meaning="issued"), BASE, "issued")
    assert dating.best is not None


def test_a_date_after_tomorrow_is_refused() -> None:
    reasons = [value.reason for _, value in choose(_printed("2026-11-23", "2026-11-24"), BASE).candidates]
    assert reasons == [None, "in the future"]


def test_a_law_may_take_effect_in_the_future() -> None:
    dating = choose(_printed("2027-01-01", meaning="effective"), BASE, "effective")
    assert dating.best is not None


def test_the_form_says_how_a_candidate_is_read() -> None:
    printed = [
        PrintedDate("1762243169", "script ct", form="unix"),
        PrintedDate("2025-11-04 03:59:29", "list entry", form="twelve-hour"),
    ]
    methods = [value.method for _, value in choose(printed, BASE).candidates]
    assert methods == ["unix", "twelve-hour"]


def test_what_a_reader_found_contradicted_is_shown_and_not_taken() -> None:
    wrong = PrintedDate("2026-03-02", "labelled text", form="contradicted")
    dating = choose([*_printed("2026-11-14"), wrong], BASE)
    assert dating.best is not None
    assert (dating.best.value, dating.disagreement) == (date(2026, 11, 14), True)
    assert choose([wrong], BASE).disagreement
    assert not choose([wrong], BASE, "issued").disagreement
    assert settle(dating.candidates) == dating


def test_the_bounds_of_a_page_hold_for_a_line_without_a_label() -> None:
    lines = (
        "1989-12-31",
        "发布时间：1985-03-01",
        "2026-11-24",
        "更新时间：2027-01-01",
        "2026-11-23",
        "1990-01-01",
    )
    reasons = [read_own_date(line, BASE)[0].reason for line in lines]
    assert reasons == ["too old for a page's own date"] * 2 + ["in the future"] * 2 + [None, None]


def test_a_line_that_says_so_may_name_an_old_law_or_a_day_ahead() -> None:
    lines = ("自2027年1月1日起施行", "开庭时间：2026-12-25 09:30", "成文日期：1985-03-01")
    assert all(read_own_date(line, BASE)[0].value for line in lines)


def test_without_a_base_nothing_lies_in_the_future() -> None:
    assert read_own_date("2026-11-24", None)[0].value == date(2026, 11, 24)


def test_of_two_labelled_dates_the_published_one_is_the_lines() -> None:
    line = "成文日期：2024年09月24日　发布日期：2024年09月30日"
    value, printed = read_own_date(line, BASE)
    assert (value.value, value.raw) == (date(2024, 9, 30), line)
    assert [one.meaning for one in printed] == ["issued", "published"]


def test_of_two_dates_the_one_without_a_label_is_the_lines() -> None:
    assert read_own_date("2026-11-18 更新时间：2026-11-20", BASE)[0].value == date(2026, 11, 18)


def test_two_dates_of_other_things_are_none_of_the_lines() -> None:
    value, printed = read_own_date("成文日期：2024-09-24 施行日期：2024-11-01", BASE)
    assert (value.value, value.reason, len(printed)) == (None, "several dates", 2)


def test_no_dates_is_no_date() -> None:
    dating = choose([], BASE)
    assert (dating.best, dating.candidates, dating.disagreement) == (None, (), False)


_ALPHABET = st.sampled_from(
    list("0123456789-/.:：年月日号时分前后至〇一二十天星期五发布间来源()（）[]|©T+Z ,AaMmPp\n")
)


@given(st.one_of(st.text(), st.text(_ALPHABET, max_size=40)))
def test_no_text_raises_and_every_answer_is_whole(text: str) -> None:
    for value in (parse_date(text, base=BASE), parse_date(text), parse_unix(text), parse_twelve_hour(text)):
        assert value.raw == text
        assert (value.value is None) == (value.reason is not None) == (value.precision is None)


@given(st.text(_ALPHABET, max_size=60))
def test_every_part_of_a_line_reads_alone_as_it_did_in_the_line(text: str) -> None:
    for value in parse_dates(text, base=BASE):
        if value.value is not None:
            assert parse_date(value.raw, base=BASE) == value


_DAYS = st.dates(date(1990, 1, 1), date(2059, 12, 31))
_DAY_FORMS = [
    "{0:%Y-%m-%d}",
    "{0:%Y/%m/%d}",
    "{0.year}/{0.month}/{0.day}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}. {0.month}. {0.day}",
    "{0:%Y%m%d}",
    "{0.year}年{0.month}月{0.day}日",
    "{0.year} 年 {0.month} 月 {0.day} 日",
    "发布日期：{0:%Y-%m-%d}",
    "来源：某某法院　发布时间：{0:%Y-%m-%d}　字号：大 中 小",
    "{0:%B} {0.day}, {0.year}",
    "{0.day} {0:%b} {0.year}",
    "{0:%A}, {0:%B} {0:%d}, {0.year}",
    "{0:%Y-%m-%d} 00:00:00",
]


@given(_DAYS, st.sampled_from(_DAY_FORMS))
def test_a_day_printed_in_any_form_is_read_back(day: date, form: str) -> None:
    value = parse_date(form.format(day))
    assert (value.value, value.precision) == (day, "day")


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else "一二三"[tens - 1] + "十") + (
        " 一二三四五六七八九"[ones].strip()
    )


@given(_DAYS)
def test_a_day_in_chinese_numerals_is_read_back(day: date) -> None:
    year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))
    value = parse_date(f"{year}年{_numeral(day.month)}月{_numeral(day.day)}日")
    assert (value.value, value.method) == (day, "numerals")


@given(st.datetimes(datetime(1992, 1, 1), datetime(2059, 12, 31)))  # noqa: DTZ001
def test_a_moment_printed_in_any_form_is_read_back(moment: datetime) -> None:
    moment = moment.replace(second=moment.second or 1, microsecond=0, tzinfo=SHANGHAI)
    for form in (
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d-%H:%M:%S",
        "%Y年%m月%d日%H时%M分%S秒",
        "%Y%m%d%H%M%S",
        "%d %b %Y %H:%M:%S %z",
    ):
        value = parse_date(moment.strftime(form))
        assert (value.value, value.precision) == (moment, "second")


@given(st.datetimes(datetime(1992, 1, 1), datetime(2059, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_iso_moment_keeps_its_zone(moment: datetime) -> None:
    moment = moment.replace(second=moment.second or 1, microsecond=0)
    value = parse_date(moment.isoformat())
    assert (value.value, value.zone, value.method) == (moment, "+00:00", "iso")


@given(st.text("0123456789", min_size=1, max_size=20).filter(lambda digits: len(digits) not in (8, 14)))
def test_a_number_of_another_length_is_never_a_date(digits: str) -> None:
    assert parse_date(digits, base=BASE).value is None


@given(st.integers(1, 3650), _DAYS)
def test_a_day_without_a_year_is_the_last_such_day_up_to_tomorrow(back: int, today: date) -> None:
    base = datetime(today.year, today.month, today.day, 12, tzinfo=SHANGHAI)
    printed = today - timedelta(days=back)
    value = parse_date(f"{printed:%m-%d}", base=base).value
    assert isinstance(value, date)
    assert (value.month, value.day) == (printed.month, printed.day)
    assert printed <= value <= today + timedelta(days=1)


_CATALOGUE_REMARK = re.compile(r"first item |\s*\([^)]*\)| newest")


def _printed_in_captures(captures: Path) -> list[tuple[str, str]]:
    """File and date of each page of the catalogue, without the catalogue's own remarks."""
    with (captures / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        return [
            (row["file"], printed)
            for row in csv.DictReader(manifest)
            for printed in _CATALOGUE_REMARK.sub("", row["published"]).split(" / ")
            if printed
        ]


def test_every_date_of_the_real_pages_is_read(captures: Path) -> None:
    fetched = datetime(2026, 11, 22, tzinfo=SHANGHAI)
    unread: list[tuple[str, DateValue]] = []
    for file, published in _printed_in_captures(captures):
        read = parse_unix(published)
        if read.value is None:
            read = parse_date(published, base=fetched)
        if read.value is None:
            unread.append((file, read))
    assert unread == []
