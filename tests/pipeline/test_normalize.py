"""Identity and text: what is one article, and what only looks like one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from crawlers.notice import Attachment, ListEntry, PrintedDate
from pipeline import interpret
from pipeline.expression import read_words
from pipeline.normalize import fold, fold_in_place, make_storable, normalize, title_key
from pipeline.store.tables import Run
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import CONTEXT, FETCHED, make_notice

LONG = "https://mp.weixin.qq.com/s?__biz=MzAxMDAwMDAwMA==&mid=2650000001&idx=1&sn=0123456789abcdef"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

# --- Text ---


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", ["T\u0308\u05b0", "\u0345\u0301", "ΐ\u0327", "İ", "ẞ", "ﬁ", "㈱"])
def test_folding_is_final_also_for_marks_that_move(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_has_single_spaces_and_no_capitals(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert folded.lower() == folded or not text.isascii()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("（２０２２）粤０１９２民初２１８７号", "(2022)粤0192民初2187号"),
        ("Trade\u3000Secret\n案", "trade secret 案"),
        ("商 标", "商 标"),
        ("", ""),
    ],
)
def test_folding_makes_one_form_of_widths_cases_and_spaces(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text() | st.text(alphabet="商标Ａa（，\n\u3000 \tİẞ㎏e\u0301"))
def test_folding_in_place_is_folding_each_character(text: str) -> None:
    folded = fold_in_place(text)
    assert folded is None or folded == "".join(fold(character) or " " for character in text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("原告ＡＢＣ公司", None),
        ("（2024）京73民终1号，\n商标 Mark", "(2024)京73民终1号, 商标 mark"),
        ("Straße", None),
        ("5㎏", None),
        ("a  b", None),
    ],
)
def test_a_text_is_folded_in_place_where_no_character_becomes_several(text: str, folded: str | None) -> None:
    assert fold_in_place(text) == folded


@given(st.text())
def test_a_title_key_holds_letters_and_digits_only_and_is_final(title: str) -> None:
    key = title_key(title)
    assert key == "" or key.isalnum()
    assert title_key(key) == key


@given(
    title=st.text(alphabet="商标案2026ab", min_size=1),
    space=st.sampled_from(["", " ", "　", "——", "“", "】"]),
)
def test_a_title_set_differently_has_the_same_key(title: str, space: str) -> None:
    assert title_key(space + space.join(title) + space) == title_key(title.upper()) != ""


@pytest.mark.parametrize(("one", "other"), [("第612号公告", "第613号公告"), ("商标", "专利"), ("V1", "V2")])
def test_titles_that_differ_in_a_letter_or_digit_have_different_keys(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


# --- The step ---


@given(st.text())
def test_storable_text_can_be_encoded_and_keeps_every_place(text: str) -> None:
    storable = make_storable(text)
    assert "\x00" not in storable.encode().decode()
    assert len(storable) == len(text)
    assert all(new in (old, UNKNOWN) for old, new in zip(text, storable, strict=True))


def test_no_text_of_a_notice_keeps_what_a_database_refuses() -> None:
    bad = "商\x00标\ud800"
    good = f"商{UNKNOWN}标{UNKNOWN}"
    date = PrintedDate(f"2026-11-19 {bad}", "labelled text")
    entry = ListEntry(f"https://example.cn/{bad}", bad, date, 0)
    notice = make_notice(
        1, title=bad, body=bad, publisher=bad, author=bad, dates=(date,), links=(bad,), images=(bad,),
        attachments=(Attachment(bad, bad),), entry=entry, body_note=bad,
    )  # fmt: skip
    record = normalize(notice, CONTEXT)
    assert (record.title, record.body, record.publisher) == (good, good, good)
    assert repr(record).count(UNKNOWN) == 2 * repr(record).count(good)
    assert make_storable(str(record)) == str(record)
    assert "\\x00" not in repr(record)
    assert "\\ud800" not in repr(record)


def test_a_page_with_such_characters_is_stored_and_found_again(engine: Engine) -> None:
    with engine.begin() as connection:
        run_id = connection.execute(
            insert(Run).values(
                source_key="x", started_at=FETCHED, finished_at=None, list_read_at=None, state="running",
                reason=None, baseline=False, counts={},
            ).returning(Run.id)
        ).scalar_one()  # fmt: skip
    context = replace(CONTEXT, run_id=run_id)
    notice = make_notice(1, title="商标\x00公告", body="第\ud800一段", author="\x00")
    for outcome in ("new", "known"):
        (written,) = write_records(engine, [interpret(notice, context)])
        assert written.outcome == outcome
    (hit,) = search_items(engine, read_words(["公告"])).hits
    assert hit.title == f"商标{UNKNOWN}公告"


def test_a_notice_that_can_be_stored_is_left_as_it_is() -> None:
    notice = make_notice(1)
    assert normalize(notice, CONTEXT).notice is notice


def test_without_a_stated_identity_the_url_is_the_identity() -> None:
    record = normalize(make_notice(1, identity=None), CONTEXT)
    assert (record.identity, record.addresses) == ("court.gov.cn:1", ("court.gov.cn:1",))


def test_an_identity_longer_than_its_column_is_shortened_to_one_of_its_own() -> None:
    one, other = (normalize(make_notice(1, identity="sse:" + "x" * 900 + end), CONTEXT) for end in "ab")
    assert len(one.identity) <= 500
    assert one.identity != other.identity


def test_a_publisher_that_the_page_does_not_name_is_that_of_the_source() -> None:
    assert normalize(make_notice(1, publisher=None), CONTEXT).publisher == CONTEXT.publisher_zh
    assert normalize(make_notice(1, publisher=" "), CONTEXT).publisher == CONTEXT.publisher_zh
    assert normalize(make_notice(1, publisher=" 某院 "), CONTEXT).publisher == "某院"


@pytest.mark.parametrize("title", ["", " ", "\n\u3000"])
def test_a_notice_without_a_title_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="needs a title"):
        normalize(make_notice(1, title=title), CONTEXT)


def test_the_hash_follows_title_and_body_and_nothing_else() -> None:
    digest = normalize(make_notice(1), CONTEXT).content_sha256
    assert normalize(make_notice(1, author="某人"), replace(CONTEXT, run_id=9)).content_sha256 == digest
    assert normalize(make_notice(1, body="别的"), CONTEXT).content_sha256 != digest
    assert normalize(make_notice(1, title="别的"), CONTEXT).content_sha256 != digest
