"""An expression finds the same items in memory and on either database, whatever the expression and the items."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawlers.notice import Attachment, PrintedDate
from pipeline.expression import read_query
from pipeline.expression.evaluate import is_met
from pipeline.expression.matcher import Matcher
from pipeline.expression.subject import Subject
from pipeline.record import Record
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import CONTEXT, make_record

PIECES = (
    "广州互联网法院在（2022）粤0192民初2187号案中判决被告赔偿原告经济损失35万元。",
    "In (2022) Yue 0192 Min Chu No. 2187 the court awarded RMB 9.5 million under the Trademark Law.",
    "國家知識產權局公告第六七五號，商標審查指南修改。",
    "北京知识产权法院依据《商标法》第六十三条驳回上诉，维持原判。",
    "原告杭州甲乙科技有限公司请求赔偿12万美元。",
    "法释〔2021〕4号自印发之日起施行。",
    "The Supreme People's Court found that the trade secrets were used.",
    "著作权与ＡＩ生成内容的保护；专利号ZL201410123456.7。",
    "(2022) Jin 01 Min Chu No. 5 is pending.",
    "最高人民法院知識產權法庭審理發明專利糾紛。",
    "",
    "100.00005元与100元。",
    "江苏省高级人民法院作出（2025）苏民终902号判决。",
)
TITLES = (
    "侵害商标权纠纷案改判",
    "Trade secret judgment",
    "关于修改专利审查指南的公告",
    "某市法院审结一案",
    "Ａ report",
)
PUBLISHERS = ("最高人民法院", "CNIPA", "Intellectual property DAILY", "某院 100%_x")
LEAVES = (
    "商标", "商標", '"商标"', "专利", "trademark", "trade secret", '"trade secret"', "最高法", "国知局", "AI", "权",
    "（2022）粤0192民初2187号", "(2022) yue 0192 min chu 2187", "(2022) Jin 01 Min Chu No. 5", "法释[2021]4号", "深圳中院",
    "广互院", "附件", "case:（2022）粤0192民初2187", "court:广互院", "court:北知院,广互院", "court:最高法知识产权法庭",
    "doc:公告第675号", "doc:法释〔2021〕4号", "ip:trademark", "ip:patent,copyright", "kind:law_or_policy", "level:supreme",
    "level:高级", "region:广东", "region:Beijing", "outcome:affirmed", "party:甲乙", "party:%", "patent:ZL201410123456.7",
    "statute:商标法", "statute:商标法第六十三条", "statute:商标法第六十四条", "amount>=100万", "amount>35万", "amount<=35万元",
    "amount:35万", "amount>=12万美元", "amount<100.00006", "amount:1万..10亿", "date>=2026-11-12", "date<2026-11-12",
    "date:2026-11", "date:2025", "date:..2026-11-13", "lang:zh", "lang:en", "topic:law", "topic:case,none",
    "source:spp_focus", "source:court_spc_interpretations", "publisher:最高法", "publisher:property", "publisher:0%_",
)  # fmt: skip


def corpus(seed: int) -> list[Record]:
    """Items of a few pieces each."""
    random = Random(seed)
    records: list[Record] = []
    for number in range(1, 15):
        source = random.choice(("court_spc_interpretations", "spp_focus"))
        context = replace(CONTEXT, source_key=source, topics=random.choice((("law",), ("case", "law"), ())))
        printed = PrintedDate(f"2026-11-{random.randint(10, 15)}", "list entry")
        files = (Attachment("https://example.org/a.pdf", "a", text="附件：商標注册证"),)
        records.append(
            make_record(
                number,
                context=replace(context, publisher_zh=random.choice(PUBLISHERS), publisher_en="Some court"),
                title=random.choice(TITLES),
                publisher=random.choice(PUBLISHERS),
                body=f"{number}。" + "\n".join(random.sample(PIECES, random.randint(0, 4))),
                dates=(printed,) if random.random() < 0.8 else (),
                attachments=files if random.random() < 0.3 else (),
            )
        )
    return records


expressions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds("NOT {}".format, inner),
        st.builds("({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({} {})".format, inner, inner),
        st.builds("{} AND {}".format, inner, inner),
        st.builds("{} OR {} {}".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_expression_finds_the_same_items_in_memory_and_in_the_database(store: Engine, seed: int) -> None:
    records = corpus(seed)
    write_records(store, records)
    subjects = {record.notice.url: Subject.of(record) for record in records}

    @settings(max_examples=60)
    @given(expressions)
    def agree(text: str) -> None:
        query = read_query(text)
        in_memory = {url for url, subject in subjects.items() if is_met(query.condition, subject)}
        assert {hit.url for hit in search_items(store, query, limit=100).hits} == in_memory

    for leaf in LEAVES:
        agree.hypothesis.inner_test(leaf)
        agree.hypothesis.inner_test(f"NOT {leaf}")
    agree()


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_is_met_by_an_item_or_is_there_to_be_missed(leaf: str) -> None:
    missed = ("statute:商标法第六十四条", "topic:case,none", "date:2025", "party:%", "深圳中院")
    subjects = [Subject.of(record) for seed in (1, 2, 3, 4) for record in corpus(seed)]
    met = [is_met(read_query(leaf).condition, subject) for subject in subjects]
    assert any(met) or leaf in missed
    assert not all(met)


@given(st.lists(expressions, max_size=12), st.integers(1, 50))
@settings(max_examples=40)
def test_the_matcher_of_many_finds_what_each_finds_alone(texts: list[str], seed: int) -> None:
    conditions = [read_query(text).condition for text in texts]
    matcher = Matcher(conditions)
    for record in corpus(seed)[:3]:
        subject = Subject.of(record)
        assert matcher.find(subject) == [
            number for number, condition in enumerate(conditions) if is_met(condition, subject)
        ]


def test_the_day_of_publication_is_that_in_china() -> None:
    record = make_record(1, dates=(PrintedDate("2026-11-18T20:00:00Z", "metadata"),))
    assert Subject.of(record).published_on == date(2026, 11, 19)
