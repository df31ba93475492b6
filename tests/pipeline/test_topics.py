"""Which texts concern intellectual property."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ConfigurationError
from pipeline.topics import TOPICS, find_topics, load_lexicon

_CASES = tomllib.loads(Path(__file__).with_name("topic_cases.toml").read_text(encoding="utf-8"))
_PROSE = "法院认为双方当事人应当按照约定全面履行各自的义务并承担相应的责任。"
_LONG = _PROSE * 60  # 1,980 characters that say nothing of the subject


def write_lexicon(folder: Path, text: str) -> Path:
    path = folder / "topics.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("title", "topics"), _CASES["concerned"].items(), ids=str)
def test_a_title_about_intellectual_property_is_kept_with_its_topics(title: str, topics: list[str]) -> None:
    verdict = find_topics(title, "")
    assert verdict.concerns_ip, verdict.reason
    assert set(topics) <= {match.topic for match in verdict.matches}


@pytest.mark.parametrize("title", _CASES["not_concerned"]["titles"], ids=str)
def test_a_title_about_something_else_is_left_out(title: str) -> None:
    verdict = find_topics(title, "")
    assert not verdict.concerns_ip, verdict.reason


def test_every_topic_has_a_title_among_the_cases() -> None:
    assert {topic for topics in _CASES["concerned"].values() for topic in topics} == set(TOPICS)


def test_most_real_titles_from_intellectual_property_sources_are_kept(captures: Path) -> None:
    """The rest name no subject at all (a column and a date, a slogan): only their bodies can tell."""
    links = json.loads(
        (captures / "derived" / "official_ip_links_ip-news-workbench_2026-08.json").read_text(
            encoding="utf-8"
        )
    )
    kept = sum(find_topics(link["title"], "").concerns_ip for link in links)
    assert kept / len(links) >= 0.93


def test_real_guiding_cases_are_kept_exactly_when_they_are_about_intellectual_property(
    captures: Path,
) -> None:
    about = {"490461", "490471", "490491", "490501", "490521"}  # cases 273, 274, 276, 277, 279
    about |= {"474501"}  # case 267: an order against unfair competition is enforced
    about |= {"20230915_628229"}  # the procuratorate's 48th batch
    paths = [*captures.glob("derived/court/*.json"), *captures.glob("derived/spp/*.json")]
    kept = set()
    for path in paths:
        page = json.loads(path.read_text(encoding="utf-8"))
        text = max((value for value in page.values() if isinstance(value, str)), key=len)
        if find_topics(page["title"], text).concerns_ip:
            kept.add(path.stem.removeprefix("CN_SupremeCourt_").removeprefix("CN_SPP_"))
    assert len(paths) > len(about)
    assert kept == about


# --- where a mention in a body counts


def test_one_mention_in_the_opening_of_a_body_decides() -> None:
    assert find_topics("典型案例", "原告是某商标的注册人。" + _LONG).concerns_ip


def test_one_mention_in_the_middle_of_a_long_body_does_not_decide() -> None:
    verdict = find_topics("典型案例", _LONG[:990] + "被告另有一项专利。" + _LONG[:990])
    assert not verdict.concerns_ip
    assert [match.term for match in verdict.matches] == ["专利"]
    assert verdict.reason == (
        "The text mentions intellectual property once, first with “专利”; for 1989 characters it would take 2."
    )


def test_two_mentions_in_the_middle_of_a_body_decide() -> None:
    assert find_topics("典型案例", _LONG[:700] + "被告另有专利，该专利有效。" + _LONG[:700]).concerns_ip


def test_a_very_long_body_needs_more_mentions() -> None:
    assert not find_topics("工作报告", _LONG * 5 + "审结专利案件、商标案件。" + _LONG * 5).concerns_ip


def test_mentions_in_the_closing_of_a_long_body_count_for_nothing() -> None:
    verdict = find_topics("典型案例", _LONG + "本报尊重知识产权，转载须经版权人、商标权人许可。")
    assert not verdict.concerns_ip
    assert verdict.reason == "Only the last 200 characters of the text say “知识产权”."


@pytest.mark.parametrize(
    "notice",
    [
        "版权所有：某某人民法院",
        "版權所有 不得轉載",
        "Copyright © 2026 某某人民检察院",
        "COPYRIGHT 2026 All rights reserved",
        "本网站域名：example.gov.cn",
        "如涉及作品内容、版权和其它问题，请与本网联系",
        "涉及国家秘密、商业秘密、个人隐私的信息不予公开",
        "公安部、国家知识产权局、国家版权局等十部门参加",
    ],
)
def test_legal_notices_and_rows_of_agencies_are_not_the_subject(notice: str) -> None:
    assert not find_topics("开庭公告", notice).concerns_ip


def test_an_agency_in_a_title_decides() -> None:
    assert find_topics("公安部、国家知识产权局联合召开会议", "").concerns_ip


def test_a_pair_must_stand_in_one_sentence() -> None:
    assert find_topics("", "查获假冒的某品牌香烟。").concerns_ip
    assert not find_topics("", "他假冒记者行骗。该地有特色农业品牌。").concerns_ip


def test_words_that_stand_beside_add_topics_but_decide_nothing() -> None:
    assert find_topics("垄断纠纷案", "").matches == ()
    assert {match.topic for match in find_topics("专利与垄断", "").matches} == {"patent", "antitrust_ip"}


def test_the_longer_word_hides_the_shorter_one_inside() -> None:
    assert [match.topic for match in find_topics("数据知识产权试点", "").matches] == ["data_ip"]


# --- words


@pytest.mark.parametrize("printed", ["patents", "Patent's", "（patent）", "专家谈patent制度", "PATENT"])
def test_a_latin_word_is_found_in_its_usual_forms(printed: str) -> None:
    assert find_topics(printed, "").concerns_ip


@pytest.mark.parametrize("printed", ["patently", "omnipatent", "patentx", "patentó", "9patent"])
def test_a_latin_word_inside_of_another_is_not_found(printed: str) -> None:
    assert not find_topics(printed, "").concerns_ip


@pytest.mark.parametrize("printed", ["trade secrets", "trade-secret", "Trade\u00a0Secret", "trade\nsecret"])
def test_blanks_and_hyphens_in_a_term_are_alike(printed: str) -> None:
    assert [match.term for match in find_topics(printed, "").matches] == ["trade secret"]


@pytest.mark.parametrize("printed", ["知识产权", "知識產權", "知識産權", "知识产权".replace("识", "識")])
def test_every_script_gives_the_term_of_the_lexicon(printed: str) -> None:
    assert [match.term for match in find_topics(printed, "").matches] == ["知识产权"]


def test_a_start_is_an_index_of_the_text_as_given() -> None:
    title = "İstanbul：ＴＲＡＤＥＭＡＲＫ與專利"
    matches = find_topics(title, "").matches
    assert [(match.term, title[match.start : match.start + 2]) for match in matches] == [
        ("trademark", "ＴＲ"),
        ("专利", "專利"),
    ]


def test_matches_are_the_first_of_each_word_the_title_before_the_body() -> None:
    verdict = find_topics("商标与专利，商标法", "关于商标的问答，商标续展。")
    assert [(match.field, match.start, match.term) for match in verdict.matches] == [
        ("title", 0, "商标"),
        ("title", 3, "专利"),
        ("body", 2, "商标"),
    ]


@pytest.mark.parametrize(
    ("title", "body", "reason"),
    [
        ("专利问答", "", "The title says “专利”."),
        ("假冒品牌案", "", "The title says “假冒” and “品牌”."),
        ("问答", "域名问答", "The first 300 characters of the text say “域名”."),
        ("预算", "预算公开", "No word of intellectual property stands in the title or the text."),
    ],
)
def test_the_reason_is_a_sentence_for_people(title: str, body: str, reason: str) -> None:
    assert find_topics(title, body).reason == reason


_TRADITIONAL = {
    "专利": "專利",
    "商标": "商標",
    "著作权": "著作權",
    "版权": "版權",
    "trademark": "ＴｒａｄｅＭａｒｋ",
}


@given(st.text(), st.sampled_from(sorted(_TRADITIONAL.items())), st.text())
def test_a_match_points_at_what_is_printed(before: str, term: tuple[str, str], after: str) -> None:
    simplified, printed = term
    title = f"{before}，{printed}，{after}"
    start = len(before) + 1
    matches = find_topics(title, "").matches
    assert (simplified, start) in {(match.term, match.start) for match in matches}
    assert title[start : start + len(simplified)] == printed


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_any_text_gets_a_verdict(title: str, body: str) -> None:
    verdict = find_topics(title, body)
    assert verdict.reason
    for match in verdict.matches:
        assert match.topic in TOPICS
        assert 0 <= match.start < len(title if match.field == "title" else body)


# --- the operator's own words


def test_an_operator_adds_words_pairs_and_phrases(tmp_path: Path) -> None:
    path = write_lexicon(
        tmp_path,
        """
        [add.trademark]
        alone = ["字號搶登"]
        pairs = [["老店", "招牌"]]
        [add.pass_over]
        everywhere = ["专利大厦"]
        """,
    )
    lexicon = load_lexicon(path)
    assert find_topics("一起字号抢登案", "", lexicon).concerns_ip
    assert find_topics("老店的招牌之争", "", lexicon).concerns_ip
    assert not find_topics("专利大厦消防演练", "", lexicon).concerns_ip
    assert find_topics("专利大厦消防演练", "").concerns_ip


def test_an_operator_removes_words(tmp_path: Path) -> None:
    lexicon = load_lexicon(write_lexicon(tmp_path, '[remove.domain_name]\nalone = ["域名"]'))
    assert not find_topics("域名争议", "", lexicon).concerns_ip
    assert find_topics("域名争议", "").concerns_ip


def test_a_phrase_that_equals_a_word_silences_it(tmp_path: Path) -> None:
    lexicon = load_lexicon(write_lexicon(tmp_path, '[add.pass_over]\neverywhere = ["域名"]'))
    assert not find_topics("域名争议", "", lexicon).concerns_ip


def test_an_operator_changes_what_a_body_needs(tmp_path: Path) -> None:
    lexicon = load_lexicon(write_lexicon(tmp_path, "[body]\nopening = 0\nclosing = 0\nmentions = 1"))
    assert find_topics("", "末尾一提：专利", lexicon).concerns_ip


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[add", "not a TOML file"),
        ("[added.patent]", "added: no such key; known are add, remove, body"),
        ("[add.patents]", "add.patents: no such key; known are ip_general, patent,"),
        ('[add.patent]\nzh = ["甲乙"]', "add.patent.zh: no such key; known are alone, beside, pairs"),
        ('[add.patent]\nalone = "甲乙"', "add.patent.alone: a list of words was expected"),
        ('[add.patent]\nalone = ["甲"]', "add.patent.alone: '甲' is no word of at least two characters"),
        ("[add.patent]\nalone = [12]", "add.patent.alone: 12 is no word"),
        ('[add.patent]\npairs = [["甲乙"]]', "add.patent.pairs: a list of pairs of words was expected"),
        (
            '[add.patent]\npairs = [["甲乙", "甲乙"]]',
            "add.patent.pairs: a list of pairs of words was expected",
        ),
        ("add = 1", "add: a table was expected"),
        ('[add.patent]\nalone = ["商标"]', "trademark.alone: “商标” already belongs to patent"),
        ('[remove.patent]\nalone = ["甲乙"]', "remove.patent.alone: '甲乙' is not in the built-in lexicon"),
        ("[body]\nmentions = 0", "body.mentions: a whole number from 1 was expected, not 0"),
        ("[body]\nopening = true", "body.opening: a whole number from 0 was expected, not True"),
        ("[body]\nfirst = 3", "body.first: no such key"),
    ],
)
def test_a_faulty_file_is_refused_with_file_key_and_fault(tmp_path: Path, text: str, fault: str) -> None:
    path = write_lexicon(tmp_path, text)
    with pytest.raises(ConfigurationError) as refusal:
        load_lexicon(path)
    assert str(refusal.value).startswith(f"{path}: {fault}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"can't be read"):
        load_lexicon(tmp_path / "none.toml")
