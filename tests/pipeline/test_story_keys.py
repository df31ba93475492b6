"""Which case, document, parties and patent an item is about, and which it only mentions."""

from __future__ import annotations

import time

import pytest

from pipeline.dedupe.digests import is_digest
from pipeline.dedupe.story_keys import find_story_keys
from pipeline.legal import find_facts

CASE = "（2026）最高法民再87号"
RULED = f"最高人民法院对甲一公司与乙二公司侵害商标权纠纷一案作出{CASE}民事判决，改判赔偿。"


def keys(title: str, body: str) -> dict[str, str]:
    found = find_story_keys(title, body, find_facts(title), find_facts(body))
    return {key.kind: key.key for key in found}


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("最高法再审改判“澄禾”商标侵权案", RULED),
        (f"{CASE}判决书全文", "本院认为，原审适用法律错误。"),
        ("商标侵权案再审宣判", "再审申请人甲一公司不服，本院再审改判。\n案号：（2026）最高法民再87号"),
        (
            "最高法再审改判一起商标侵权案",
            "一审法院作出（2024）苏04民初316号民事判决，二审法院作出（2025）苏民终902号民事判决维持原判。"
            f"据此，最高人民法院作出{CASE}民事判决。",
        ),
        (
            "SPC reverses in trademark dispute",
            "The Supreme People's Court handed down its judgment (2026) Zui Gao Fa Min Zai No. 87 on Wednesday.",
        ),
        ("Retrial ruling: (2026) Zui Gao Fa Min Zai No. 87", "The ruling is final."),
    ],
    ids=["one case", "headline", "label", "its whole course", "English", "English headline"],
)
def test_the_case_that_an_item_is_about_is_its_own_in_any_language(title: str, body: str) -> None:
    assert keys(title, body)["case_number"] == "(2026)最高法民再87号 ruling"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("最高法发布知识产权典型案例", RULED),
        ("2026年度十起商标案件回顾", RULED),
        ("知识产权一周要闻", RULED),
        ("IP weekly", "In its judgment (2026) Zui Gao Fa Min Zai No. 87 the court ruled."),
        ("江苏发布惩罚性赔偿指引", f"此前，{RULED}"),
        ("最高人民法院关于商标赔偿的解释", RULED),
        ("知识产权审判座谈会召开", RULED),
        ("法院判决一起商标侵权案", f"类似判决参见{CASE}。"),
        ("法院判决一起商标侵权案", f"通报会同时发布了{CASE}判决等案例。"),
        ("商标赔偿怎么算", f"有律师整理了{CASE}的要点。"),
        ("两起商标侵权案", f"{RULED}另一案的案号为（2026）浙民终318号，法院判决驳回。"),
        ("商标侵权案宣判", "法院作出（2026）粤73民终1号判决，又作出（2026）沪73民终2号判决。"),
        ("商标侵权案宣判", "一审（2026）浙01民初1号判决；二审（2026）苏民终2号判决维持。"),
        ("商标侵权案宣判", "一审（2026）苏04民初1号判决；二审（2025）苏民终2号判决维持。"),
        ("案子多", "法院审理（2026）粤73民初1、2、3、4、5、6号一案并判决。"),
        ("某案1. 甲\n", f"1. 甲公司胜诉\n{RULED}\n2. 乙公司败诉\n法院审结（2026）浙民终318号案。"),
    ],
)
def test_a_case_that_an_item_only_mentions_is_not_its_own(title: str, body: str) -> None:
    assert "case_number" not in keys(title, body)


def test_cases_decided_together_are_one_thing() -> None:
    body = (
        "最高人民法院对（2021）最高法知民终732、733号案作出判决。其中（2021）最高法知民终733号判决另附说明。"
    )
    assert (
        keys("发明专利侵权案宣判", body)["case_number"]
        == "(2021)最高法知民终732号、(2021)最高法知民终733号 ruling"
    )


def test_stages_of_one_case_are_different_events() -> None:
    hearing = keys(
        "法院开庭公告", "本院定于2026年11月26日在第六法庭公开开庭审理（2026）湘知民终88号上诉人甲一公司一案。"
    )
    later = keys(
        "法院开庭公告", "本院定于2026年12月3日在第六法庭公开开庭审理（2026）湘知民终88号上诉人甲一公司一案。"
    )
    ruling = keys("商标案二审宣判", "法院作出（2026）湘知民终88号判决。")
    filed = keys("法院受理一起商标案", "该案案号为（2026）湘知民终88号。")
    found = [
        found["case_number"].removeprefix("(2026)湘知民终88号 ") for found in (hearing, later, ruling, filed)
    ]
    assert found == ["hearing 2026-11-26", "hearing 2026-12-03", "ruling", "filed"]


@pytest.mark.parametrize(
    ("title", "body", "number"),
    [
        ("国家知识产权局关于停机维护的公告（第612号）", "特此公告。", "国家知识产权局公告第612号"),
        ("停机维护公告", "国家知识产权局公告\n第六一二号\n特此公告。", "国家知识产权局公告第612号"),
        ("国家知识产权局关于修改指南的决定（局令第84号）", "特此公布。", "国家知识产权局令第84号"),
        ("停机维护公告", "文号：市场监管总局公告2026年第44号", "国家市场监督管理总局公告2026年第44号"),
        ("CNIPA Announcement No. 612 on maintenance", "The system is down.", "国家知识产权局公告第612号"),
        (
            "关于专项行动的通知",
            "国知发保字〔2026〕31号\n各省知识产权局：根据国知发保字〔2024〕10号，现予通知。",
            "国知发保字(2026)31号",
        ),
        ("关于印发指引的通知", "发文字号：国知发保字〔2026〕31号\n各省知识产权局：", "国知发保字(2026)31号"),
        (
            "最高法出台司法解释",
            "全文如下。\n（法释〔2026〕16号）\n第一条 依照法释〔2020〕4号。",
            "法释(2026)16号",
        ),
        ("指导性案例290号：甲一公司诉乙二公司案", f"指导性案例290号\n{RULED}", "指导性案例290号"),
    ],
)
def test_a_document_s_own_number_is_its_only_key(title: str, body: str, number: str) -> None:
    assert keys(title, body) == {"document_number": number}


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("最高法发布商标赔偿规定", "最高人民法院发布《关于赔偿的规定》（法释〔2026〕18号），自明日起施行。"),
        ("《关于赔偿的规定》（法释〔2026〕18号）解读", "规定共二十条。"),
        ("有效文件目录", "国知发保字〔2026〕31号\n国知发保字〔2026〕32号"),
        ("停机维护公告（第612号）", "特此公告。"),
        ("第六十三批指导性案例", "编者按。\n（检例第256号）\n甲案要旨。"),
    ],
)
def test_a_cited_document_is_not_its_own(title: str, body: str) -> None:
    assert "document_number" not in keys(title, body)


def test_first_parties_sum_and_instance_tell_one_award() -> None:
    first = keys(
        "商标案一审判赔300万元", "原告甲一有限公司诉被告乙二有限公司、丙三有限公司侵害商标权纠纷一案。"
    )
    same = keys("300万元！商标案一审宣判", "甲一有限公司诉乙二有限公司一案，一审判决赔偿经济损失300万元。")
    appeal = keys("商标案二审判赔300万元", "上诉人乙二有限公司与被上诉人甲一有限公司侵害商标权纠纷一案。")
    other = keys("商标案一审判赔60万元", "原告甲一有限公司诉被告乙二有限公司侵害商标权纠纷一案。")
    assert first["parties"] == same["parties"] == "乙二有限公司/甲一有限公司,3000000cny,first"
    assert len({first["parties"], appeal["parties"], other["parties"]}) == 3


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("商标案一审判赔300万元", "原告某公司诉被告乙二有限公司侵害商标权纠纷一案。"),
        (
            "商标案一审宣判",
            "原告甲一有限公司诉被告乙二有限公司，判决赔偿经济损失300万元；另案判决赔偿经济损失60万元。",
        ),
        ("最高法发布典型案例", "原告甲一有限公司诉被告乙二有限公司一案，一审判决赔偿经济损失300万元。"),
    ],
    ids=["masked", "two sums", "digest"],
)
def test_parties_that_could_be_others_are_no_key(title: str, body: str) -> None:
    assert "parties" not in keys(title, body)


def test_a_patent_counts_with_its_procedure_and_instance() -> None:
    infringed = keys("发明专利侵权案一审宣判", "涉案专利号为ZL201810452317.6，法院判决停止侵权。")
    invalid = keys("一件发明专利被请求宣告无效", "涉案专利号为ZL201810452317.6。")
    two = keys(
        "发明专利侵权案一审宣判",
        "涉案专利号为ZL201810452317.6，原告另有一件实用新型专利，其专利号为ZL202020318846.1，也在本案中主张。",
    )
    assert infringed["patent"] == "zl201810452317.6, infringement, ruling, first"
    assert invalid["patent"].startswith("zl201810452317.6, invalidation")
    assert "patent" not in two


@pytest.mark.parametrize(
    "title",
    [
        "知识产权一周要闻",
        "第三批典型案例发布",
        "2026年中国法院10大知识产权案件",
        "五起侵犯商业秘密案件",
        "审判工作情况通报",
    ],
)
def test_headlines_of_digests_are_known(title: str) -> None:
    assert is_digest(title, "正文。")


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("一起商标侵权案宣判", "1. 甲公司\n2. 乙公司\n3. 丙公司"),
        ("指导性案例290号：甲诉乙案", "一、基本案情\n甲公司起诉。\n二、裁判结果\n驳回。"),
        ("关于2026年第四批专利代理机构审批的公告", "1. 甲事务所\n2. 乙事务所\n特此公告。"),
    ],
)
def test_a_report_or_a_list_of_names_is_no_digest(title: str, body: str) -> None:
    assert not is_digest(title, body)


def test_empty_lines_without_end_hold_nothing_up() -> None:
    started = time.perf_counter()
    assert not is_digest("通知", "\n" * 200_000)
    assert time.perf_counter() - started < 10
