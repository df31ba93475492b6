"""Rules of the comparison of two texts: what is one text, what an edit, and which guard keeps two apart."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opencc import OpenCC

from pipeline.dedupe import (
    SHARED_FOR_CANDIDATE,
    SKETCH_SIZE,
    Comparison,
    Text,
    compare,
    guards,
    is_edit,
    sketch,
)

NEWS = (
    "青岚市中级人民法院昨天通报一起仿冒茶叶包装案件的处理情况。\n"
    "原告青岚雾语茶业有限公司从2019年起使用“雾语”商标，被告在网店出售包装相近的绿茶，累计成交1260单。"
    "合议庭认为，普通消费者隔着屏幕挑选商品，主要依靠图案与名称辨认来源，两者放在一起极易看错。\n"
    "法院判决被告停止销售、销毁库存包装，并向原告支付赔偿金38万元。案号为（2026）青01民初77号。\n"
    "宣判之后，双方都没有上诉。主审法官说，经营者借用他人商誉招揽顾客，短期看似省力，长期必然失去信任。"
    "当地茶叶协会随后组织会员自查，十多家商户主动更换了旧包装，并在店铺首页贴出说明。"
)
NOTICE = (
    "本院定于2026年3月9日上午9时在第二法庭公开审理（2026）青01民初88号"
    "青岚雾语茶业有限公司诉云水商行侵害商标权纠纷一案，特此公告。"
)
HAN = [chr(code) for code in range(0x4E00, 0x9FA5)]


def text(body: str, title: str = "茶叶包装案宣判", identity: str | None = None) -> Text:
    return Text(title, body, identity)


def judge(a: str, b: str) -> Comparison:
    return compare(text(a, identity="site:1"), text(b, identity="other:2"))


def random_article(seed: int, size: int = 1000) -> str:
    return "".join(Random(seed).choices(HAN, k=size))


class TestOnePage:
    def test_a_page_that_did_not_change_is_the_same(self) -> None:
        assert compare(text(NEWS, identity="site:1"), text(NEWS, identity="site:1")).verdict == "same"

    def test_a_changed_figure_is_an_edit(self) -> None:
        assert (
            compare(
                text(NEWS, identity="site:1"), text(NEWS.replace("38万", "83万"), identity="site:1")
            ).verdict
            == "edited"
        )

    def test_a_changed_title_is_an_edit_and_the_reason_says_so(self) -> None:
        found = compare(text(NEWS, identity="site:1"), text(NEWS, title="茶叶包装案改判", identity="site:1"))
        assert (found.verdict, "title changed" in found.reason) == ("edited", True)

    def test_unknown_identities_are_not_one_page(self) -> None:
        assert compare(text(NEWS), text(NEWS)).verdict == "repost"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("正文在此。\n阅读 1203", "正文在此。\n阅读 98万+"),
            ("浏览次数：12次\n正文在此。", "浏览次数：4031次\n正文在此。"),
            ("正文在此。 点赞 3 在看 5", "正文在此。 点赞 44 在看 61"),
            ("正文在此。\n3小时前", "正文在此。\n2天前"),
            *(
                (f"{counter.format(1203)}\n正文在此。", f"{counter.format(1501)}\n正文在此。")
                for counter in (
                    "本文已被阅读 {} 次",
                    "已阅读：{}",
                    "您是第{}位访问者",
                    "点击率：{}",
                    "浏览人次：{}",
                    "人气：{}",
                    "Views: {}",
                    "总访问量：{} 今日访问：3",
                    "当前浏览次数：{}",
                    "{}人阅读",
                    "{} 次浏览",
                    "分享 {}",
                    "来源：某局 {}人阅读",
                )
            ),
            ("正文在此。", "　　正文在此。\r\n\r\n"),
            *(
                (f"正文在此。\n{empty}", f"正文在此。\n{filled}")
                for empty, filled in (
                    ("浏览量：-", "浏览量：33"),
                    ("点击：[]", "点击：[10]"),
                    ("浏览次数：次", "浏览次数：8次"),
                )
            ),
            ("正文（一）：完", "正文(一):完"),
            ("正文在此。\n更新时间：2026-11-19 10:00", "正文在此。\n更新时间：2026-11-20 08:30"),
            ("正文“引用”完", "正文&ldquo;引用&rdquo;完"),
            ("附件 https://a.example/f.pdf?token=1&t=2", "附件 https://a.example/f.pdf?token=9&t=8"),
            ("正文在此。\n下一篇：甲地开展检查", "正文在此。\n下一篇：乙地召开会议"),
            ("正文在此。\n8f14e45fceea167a5a36dedd4bea2543", "正文在此。\nc9f0f895fb98ab9159f51fd0297e236d"),
            ("正文在此。", "正文在此。\n【打印本页】【关闭窗口】"),
        ],
    )
    def test_counters_tokens_and_layout_are_no_edit(self, before: str, after: str) -> None:
        assert not is_edit(before, after)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("罚款5万元。", "罚款50万元。"),
            ("同比增长5.6%。", "同比增长56%。"),
            ("该片播放量达1234次。", "该片播放量达4321次。"),
            ("责任编辑：甲\n正文。", "责任编辑：乙\n正文。"),
            ("发布时间：2026-11-18\n正文。", "发布时间：2026-11-19\n正文。"),
            ("The court held 3 views on this.", "The court held 4 views on this."),
            ("直播间有3人评论侵权商品。", "直播间有30人评论侵权商品。"),
            ("正文在此。", ""),
            ("附件 https://a.example/down?id=1", "附件 https://a.example/down?id=2"),
            ("专利号ZL202010123456.7", "专利号ZL202010123456.1"),
        ],
    )
    def test_anything_that_is_said_otherwise_is_an_edit(self, before: str, after: str) -> None:
        assert is_edit(before, after)


REPOSTS: dict[str, Callable[[str], str]] = {
    "identical": lambda body: body,
    "header added": lambda body: f"来源：知产周报  发布时间：2026-04-02 08:11  阅读 5512\n{body}",
    "unknown header added": lambda body: f"读者朋友们早上好，今天是第318期。\n{body}",
    "footer added": lambda body: f"{body}\n责任编辑：白露\n联系电话：0532-88112233",
    "unknown footer added": lambda body: f"{body}\n2026年我们与您同行，感谢20万读者。",
    "traditional characters": OpenCC("s2t").convert,
    "traditional characters of Taiwan": lambda body: OpenCC("s2tw").convert(f"{body}看着卫生"),
    "traditional characters of Hong Kong": lambda body: OpenCC("s2hk").convert(f"{body}看着卫生"),
    "half width, one line": lambda body: (
        body.replace("，", ",").replace("（", "(").replace("）", ")").replace("\n", " ")
    ),
    "words exchanged": lambda body: body.replace("随后", "此后").replace("都没有", "均未"),
    "word dropped": lambda body: body.replace("主动", ""),
    "cut to 30 %": lambda body: body[: len(body) * 3 // 10],
    "cut within a number": lambda body: body[: body.index("1260") + 2],
    "entities left": lambda body: (
        body.replace("“", "&amp;ldquo;").replace("”", "&amp;rdquo;").replace("\n", "&nbsp;\n")
    ),
    "cut, with a link to the rest": lambda body: (
        f"{body[: len(body) // 4]}…\n查看全文请点击原文链接：https://news.example/a?id=99"
    ),
    "cut, with another number in the footer": lambda body: (
        f"{body[: body.index('38万元')]}……\n2019年我们继续同行"
    ),
    "within a digest": lambda body: (
        f"1. {random_article(1, 300)}\n2. {body}\n3. 罚款99万元。{random_article(2, 300)}"
    ),
    "note in the middle": lambda body: body.replace(
        "\n法院", "\n（编者注：此案2026年5月8日入选案例选。）\n法院"
    ),
    "numerals written out": lambda body: body.replace("38万元", "三十八万元"),
    "printed twice": lambda body: f"{body}\n{body}",
    "quoted with comments": lambda body: f"{random_article(3, 120)}\n“{body}”\n{random_article(4, 120)}",
}


@pytest.mark.parametrize("kind", REPOSTS)
def test_one_text_carried_elsewhere_is_a_repost(kind: str) -> None:
    found = judge(NEWS, REPOSTS[kind](NEWS))
    assert found.verdict == "repost", found.reason


def test_another_headline_over_the_same_text_is_a_repost() -> None:
    assert compare(text(NEWS), text(NEWS, title="重磅！隔着屏幕也要看清楚")).verdict == "repost"


def test_a_short_notice_can_be_a_repost() -> None:
    assert judge(NOTICE, f"云水发布\n{NOTICE}").verdict == "repost"


def test_two_articles_are_different() -> None:
    assert judge(NEWS, random_article(5)).verdict == "different"


def test_the_same_title_does_not_make_two_texts_one() -> None:
    assert compare(text(NEWS, title="要闻"), text(random_article(6), title="要闻")).verdict == "different"


def test_a_closing_formula_is_not_found_in_a_long_text() -> None:
    assert (
        judge(
            "特此公告，自发布之日起施行，请各单位遵照执行。",
            f"{NEWS}特此公告，自发布之日起施行，请各单位遵照执行。",
        ).verdict
        == "different"
    )


def test_an_empty_body_is_no_repost_of_anything() -> None:
    assert judge("", "").verdict == "different"


def exchange_words(body: str) -> str:
    for place, words in ((10, "甚为广泛"), (80, "更加仔细些"), (200, "说得十分明白"), (330, "看来颇有道理")):
        body = body[:place] + words + body[place + len(words) :]
    return body


LAW = "".join(random_article(seed, 60) + "。\n" for seed in range(20, 28))

GUARDED: dict[str, tuple[Callable[..., str | None], str, str]] = {
    "case number": (guards.guard_designations, NEWS, NEWS.replace("民初77号", "民初77号之一")),
    "document number": (
        guards.guard_designations,
        f"青知发〔2026〕12号\n{NEWS}",
        f"青知办发〔2026〕12号\n{NEWS}",
    ),
    "amount": (guards.guard_numbers, NEWS, NEWS.replace("38万元", "39万元")),
    "myriads": (guards.guard_numbers, NEWS, NEWS.replace("38万元", "38亿元")),
    "year": (guards.guard_numbers, NEWS, NEWS.replace("2019年", "2018年")),
    "count": (guards.guard_numbers, NEWS, NEWS.replace("1260单", "126单")),
    "last number of a text": (guards.guard_numbers, f"{NEWS}第15", f"{NEWS}第1"),
    "number in Chinese numerals": (guards.guard_numbers, f"第三次会议。{NEWS}", f"第四次会议。{NEWS}"),
    "decimal mark": (guards.guard_numbers, NEWS.replace("38万", "3.8万"), NEWS),
    "numbers at different places": (
        guards.guard_numbers,
        NEWS.replace("双方都没有上诉", "双方15日内都没有上诉"),
        NEWS.replace("十多家商户", "十多家商户和27家网店"),
    ),
    "brand in Latin letters": (
        guards.guard_words,
        NEWS.replace("“雾语”", "WUYU"),
        NEWS.replace("“雾语”", "SKYTEA"),
    ),
    "brand that begins the text": (
        guards.guard_words,
        f"Bluepeak Robotics announced today that it has sued a former supplier. {LAW}",
        f"Greenpeak Robotics announced today that it has sued a former supplier. {LAW}",
    ),
    "letter of a divided application": (
        guards.guard_designations,
        f"第45678901号商标。{NEWS}",
        f"第45678901A号商标。{NEWS}",
    ),
    "trademark": (guards.guard_names, NEWS, NEWS.replace("“雾语”", "“云语”")),
    "firm": (guards.guard_names, NEWS, NEWS.replace("青岚雾语茶业", "青岚听泉茶业")),
    "court": (guards.guard_names, NEWS, NEWS.replace("青岚市", "白石市")),
    "masked name": (guards.guard_names, f"{LAW}对王某某批准逮捕。{NEWS}", f"{LAW}对李某某批准逮捕。{NEWS}"),
    "masked name made longer": (
        guards.guard_names,
        f"{LAW}对王某批准逮捕。{NEWS}",
        f"{LAW}对王某某批准逮捕。{NEWS}",
    ),
    "person": (
        guards.guard_names,
        NEWS.replace("主审法官", "法官陈晓"),
        NEWS.replace("主审法官", "法官林建国"),
    ),
    "given name": (guards.guard_names, f"任命陈晓明为庭长。{NEWS}", f"任命陈志远为庭长。{NEWS}"),
    "charge": (guards.guard_names, f"涉嫌假冒专利罪一案。{NEWS}", f"涉嫌侵犯著作权罪一案。{NEWS}"),
    "given name of one letter, throughout": (
        guards.guard_names,
        f"李明华来到现场。{LAW}李明华最后说了几句。",
        f"李明辉来到现场。{LAW}李明辉最后说了几句。",
    ),
    "one person and two": (
        guards.guard_names,
        f"{LAW}对黎某批准逮捕。{NEWS}",
        f"{LAW}对黎某、莫某批准逮捕。{NEWS}",
    ),
    "firm without its form": (
        guards.guard_names,
        f"{LAW}判令天宇公司停止。{NEWS}",
        f"{LAW}判令听泉公司停止。{NEWS}",
    ),
    "shop": (guards.guard_names, f"查处城东烟酒店。{LAW}", f"查处城西烟酒店。{LAW}"),
    "city and county": (guards.guard_names, f"日前，湖州市召开会议。{LAW}", f"日前，吉安县召开会议。{LAW}"),
    "currency": (guards.guard_names, f"获赔500万元。{LAW}", f"获赔500万美元。{LAW}"),
    "word of a short notice": (
        guards.guard_contents,
        "经审查，准予青岚雾语商标代理有限公司备案变更，特此公告。",
        "经审查，准予青岚雾语商标代理有限公司备案注销，特此公告。",
    ),
    "shop of one trade": (guards.guard_names, f"获悉日蜂电器厂败诉。{LAW}", f"获悉月蜂电器厂败诉。{LAW}"),
    "customs house": (guards.guard_names, f"{LAW}据悉拱北海关查获。{NEWS}", f"{LAW}据悉皇岗海关查获。{NEWS}"),
    "two courts": (
        guards.guard_names,
        f"{LAW}据悉云水铁路运输法院受理。{NEWS}{LAW[::-1]}",
        f"{LAW}据悉知识产权法庭受理。{NEWS}{LAW[::-1]}",
    ),
    "two speakers": (
        guards.guard_names,
        f"{LAW}据悉清华大学教授崔国斌出席。{NEWS}{LAW[::-1]}",
        f"{LAW}据悉高级法官李丽出席。{NEWS}{LAW[::-1]}",
    ),
    "speaker with a rare surname": (
        guards.guard_names,
        f"{LAW}据悉新闻发言人逯欣荣出席。{NEWS}",
        f"{LAW}据悉新闻发言人于海出席。{NEWS}",
    ),
    "persons with rarer surnames": (
        guards.guard_names,
        f"{LAW}据悉窦欣荣出席。{NEWS}",
        f"{LAW}据悉喻海出席。{NEWS}",
    ),
    "lecturer before the title": (
        guards.guard_names,
        f"{LAW}据悉特邀逯欣荣教授出席。{NEWS}",
        f"{LAW}据悉特邀于海教授出席。{NEWS}",
    ),
    "two persons, one of them 张": (
        guards.guard_names,
        f"{LAW}逯欣荣出席。{NEWS}逯欣荣讲话。",
        f"{LAW}张国庆出席。{NEWS}张国庆讲话。",
    ),
    "value of a field": (
        guards.guard_names,
        f"{LAW}诉讼阶段：已立案。{NEWS}",
        f"{LAW}诉讼阶段：已结束。{NEWS}",
    ),
    "value before the next field": (
        guards.guard_names,
        f"{LAW}拍卖标的：旧厂房\n保证金：面议\n{NEWS}",
        f"{LAW}拍卖标的：新车间\n保证金：面议\n{NEWS}",
    ),
    "country": (guards.guard_names, f"据悉货物运往越南销售。{LAW}", f"据悉货物运往巴西销售。{LAW}"),
    "goods of a report": (
        guards.guard_contents,
        f"{LAW[:150]}店内购得剃须刀后。{LAW[150:300]}",
        f"{LAW[:150]}店内购得羽绒服后。{LAW[150:300]}",
    ),
    "topic of a longer report": (
        guards.guard_contents,
        f"{LAW}围绕海外维权授课。{LAW[::-1][:200]}",
        f"{LAW}围绕数据知识产权登记授课。{LAW[::-1][:200]}",
    ),
    "city without 市": (
        guards.guard_names,
        f"{LAW}据悉年会在荆州召开。{NEWS}",
        f"{LAW}据悉年会在漳州召开。{NEWS}",
    ),
    "bank": (guards.guard_names, f"据悉云水银行出资。{LAW}", f"据悉白石银行出资。{LAW}"),
    "judge 马": (
        guards.guard_names,
        f"{LAW}据悉承办法官马博文出席。{NEWS}",
        f"{LAW}据悉承办法官逯欣荣出席。{NEWS}",
    ),
    "judge, before other footers": (
        guards.guard_names,
        f"{LAW}审判长 陈晓\n读者朋友，每天早上八点半我们准时与您相见，下期见。",
        f"{LAW}审判长 林建国\n— END —",
    ),
    "court below other headers": (
        guards.guard_names,
        f"知产前哨\n云水市人民法院公告：{LAW}",
        f"首页 > 新闻中心 > 知识产权 > 正文\n白石市人民法院公告：{LAW}",
    ),
    "court and party before a text that was cut": (
        guards.guard_names,
        f"云水市高新区人民法院公告\u3000陈晓明：{LAW[:100]}",
        f"白石市新城区人民法院公告\u3000逯志远：{LAW}",
    ),
    "city whose name begins with a numeral": (
        guards.guard_names,
        f"{LAW}据悉年会在九江召开。{NEWS}",
        f"{LAW}据悉年会在绍兴召开。{NEWS}",
    ),
    "date below other headers": (
        guards.guard_numbers,
        f"首页 > 新闻中心 > 正文\n2月17日，{LAW}",
        f"4月17日，{LAW}",
    ),
    "date at the end, before another footer": (
        guards.guard_numbers,
        f"{LAW}\n2026年3月9日\n读者朋友，每天早上八点半我们准时与您相见，下期见。",
        f"{LAW}\n2025年4月8日",
    ),
    "opening dates that share a number": (guards.guard_numbers, f"5月10日，{LAW}", f"10月18日，{LAW}"),
    "term of one year": (
        guards.guard_numbers,
        f"{LAW}判处有期徒刑二年六个月。{NEWS}",
        f"{LAW}判处有期徒刑一年。{NEWS}",
    ),
    "Latin names that begin alike": (
        guards.guard_words,
        f"{LAW}据悉Northgate出席。{NEWS}",
        f"{LAW}据悉Northern出席。{NEWS}",
    ),
    "letter after a masked name": (
        guards.guard_names,
        f"{LAW}孔某批准逮捕。{NEWS}",
        f"{LAW}孔某亮批准逮捕。{NEWS}",
    ),
    "part in a crime": (guards.guard_names, f"{LAW}系主犯。{NEWS}", f"{LAW}系从犯。{NEWS}"),
    "denial": (guards.guard_names, f"{LAW}侵权成立。{NEWS}", f"{LAW}侵权不成立。{NEWS}"),
    "given name before the sex": (guards.guard_names, f"{LAW}裴建业，男。{NEWS}", f"{LAW}裴建军，男。{NEWS}"),
    "word of a notice": (
        guards.guard_contents,
        f"查获涉嫌侵权的运动鞋。{LAW[:100]}",
        f"查获涉嫌侵权的抽油烟机。{LAW[:100]}",
    ),
    "opening of a notice": (
        guards.guard_contents,
        f"邮递渠道查获侵权货物一批，均为假冒产品。{LAW[:100]}",
        f"跨境电商渠道查获侵权货物一批，均为假冒产品。{LAW[:100]}",
    ),
    "place": (guards.guard_names, f"今日上海消息。{NEWS}", f"今日广州消息。{NEWS}"),
    "kind of right": (guards.guard_names, f"关于发明申请的审查。{NEWS}", f"关于外观设计申请的审查。{NEWS}"),
    "award": (guards.guard_names, f"今日判令赔偿各项损失。{NEWS}", f"今日判令驳回各项请求。{NEWS}"),
    "outcome": (guards.guard_names, f"决定维持原决定。{NEWS}", f"决定撤销原决定。{NEWS}"),
    "parties beside shared law": (
        guards.guard_parties,
        f"犯罪嫌疑人王五将仿制茶罐卖往外地。\n{LAW}",
        f"原告雾语公司请求判令停止侵害。\n{LAW}",
    ),
    "contents beside shared law": (
        guards.guard_contents,
        f"{random_article(7, 100)}\n{LAW}",
        f"{random_article(8, 100)}\n{LAW}",
    ),
    "many words exchanged": (guards.guard_contents, LAW, exchange_words(LAW)),
    "a paragraph each": (
        guards.guard_contents,
        LAW.replace(LAW[120:121], f"{random_article(9, 130)}", 1),
        LAW.replace(LAW[360:361], f"{random_article(10, 130)}", 1),
    ),
}


@pytest.mark.parametrize("case", GUARDED)
def test_a_guard_keeps_apart_what_would_merge_without_it(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guard, one, other = GUARDED[case]
    assert judge(one, other).verdict == "different"
    monkeypatch.setattr(guards, "GUARDS", tuple(other for other in guards.GUARDS if other is not guard))
    without = judge(one, other)
    assert without.verdict == "repost", without.reason


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("青岚市知识产权局公告（第612号）", "青岚市知识产权局公告（第613号）"),
        ("青岚市知识产权局公告（第612号）", "青岚市知识产权局公告（第六一三号）"),
        ("2025年度缴费须知", "2026年度缴费须知"),
        ("3月9日开庭公告", "3月10日开庭公告"),
        ("发布第三批典型案例", "发布第四批典型案例"),
        ("关于授予“雾语”称号的决定", "关于授予“云语”称号的决定"),
        ("规范专利申请行为的规定", "规范专利申请行为的规定（征求意见稿）"),
    ],
)
def test_titles_of_a_series_keep_equal_bodies_apart(one: str, other: str) -> None:
    assert compare(text(LAW, title=one), text(LAW, title=other)).verdict == "different"


def test_a_topic_exchanged_in_headline_and_text_is_another_notice() -> None:
    def announce(topic: str) -> Text:
        return text(f"我中心定于近期举办{topic}培训班。\n{LAW}", title=f"关于举办{topic}培训班的通知")

    assert compare(announce("专利导航"), announce("海外维权")).verdict == "different"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("我市召开会议", "湖州市召开会议"),
        ("该公司不服", "雾语公司不服"),
        ("案涉专利号为ZL202010123456.7", "案涉专利号为ZL 202010123456.7"),
        ("案涉专利号为ZL202010123456.7", "案涉专利号为202010123456.7"),
        ("记入帐户，另立帐户", "记入账户，另立账户"),
        ("赔偿500万元", "赔偿500万元人民币"),
        ("The court held more than ten hearings", "This court held over ten hearings"),
        ("made and sold the goods", "made nd sold the goods"),
        ("The court and the parties", "This court and this party"),
        ("被告的女士香水", "被告之女士香水"),
        ("被告立即停止", "被告马上停止"),
        ("有关部门", "主管机构"),
        ("既区分情况", "即区分情况"),
        ("一经区分", "加以区分"),
        ("It infringes their rights, as it decided", "It infringed their rights, as it decides"),
    ],
)
def test_what_a_reprint_names_or_sets_otherwise_keeps_nothing_apart(before: str, after: str) -> None:
    found = judge(f"{LAW}{before}。{LAW[::-1]}", f"{LAW}{after}。{LAW[::-1]}")
    assert found.verdict == "repost", found.reason


@pytest.mark.parametrize(
    ("one", "other"), [("日前", "近日"), ("知产前哨\n", "青岚发布\n"), ("青岚讯：", "本台消息：")]
)
def test_a_short_notice_may_open_otherwise(one: str, other: str) -> None:
    notice = "本院公开审理青岚雾语茶业有限公司诉云水商行侵害商标权纠纷一案，双方当庭和解，各自承担费用。"
    found = judge(f"{one}{notice}", f"{other}{notice}")
    assert found.verdict == "repost", found.reason


def test_a_text_may_be_cut_within_a_number_before_a_link_to_the_rest() -> None:
    found = judge(f"{NEWS}\n涉案金额：18万元。\n{LAW}", f"{NEWS}\n涉案金额：1……阅读全文")
    assert found.verdict == "repost", found.reason


def test_a_number_that_only_a_headline_picks_from_the_text_keeps_nothing_apart() -> None:
    assert (
        compare(text(NEWS, title="2019年起的商标纠纷有结果"), text(NEWS, title="2026年茶叶案宣判")).verdict
        == "repost"
    )


def test_one_number_in_two_kinds_of_numerals_is_one_number() -> None:
    assert (
        compare(text(LAW, title="公告（第675号）"), text(LAW, title="公告（第六七五号）")).verdict == "repost"
    )


def test_the_reason_names_the_deciding_evidence() -> None:
    reason = judge(NEWS, NEWS.replace("民初77号", "民初78号")).reason
    assert "77" in reason
    assert "78" in reason


bodies = st.one_of(
    st.text(),
    st.text(st.sampled_from("一二2026年月日号第(（）)〔〕法院某张李“”。，\n 　a")),
    st.sampled_from([NEWS, NOTICE, LAW, *(kind(NEWS) for kind in REPOSTS.values())]),
)
texts = st.builds(
    Text, st.one_of(st.text(max_size=30), st.just("公告（第6号）")), bodies, st.sampled_from([None, "a", "b"])
)


@given(texts, texts)
@example(Text("", "1" * 9000, None), Text("", "1" * 9001, None))
@example(Text("", "亿" * 9000, None), Text("", "一亿" * 4500, None))
@example(Text("\ud800", "\ud800" * 30, None), Text("", "\ud800" * 40, None))
def test_any_two_texts_have_a_verdict_that_their_order_does_not_change(a: Text, b: Text) -> None:
    one, other = compare(a, b), compare(b, a)
    assert one.verdict == other.verdict
    assert (one.verdict in {"same", "edited"}) == (a.identity is not None and a.identity == b.identity)
    assert one.reason.endswith(".")


@given(bodies, bodies)
def test_edits_are_symmetric_and_nothing_is_an_edit_of_itself(one: str, other: str) -> None:
    assert is_edit(one, other) == is_edit(other, one)
    assert not is_edit(one, one)


@given(bodies.filter(lambda body: any(character.isalpha() for character in body)))
def test_an_identical_text_on_another_page_is_a_repost(body: str) -> None:
    assert judge(body, body).verdict == "repost"


@given(bodies)
def test_a_sketch_is_a_few_ascending_numbers_that_fit_a_bigint(body: str) -> None:
    values = sketch(body)
    assert list(values) == sorted(set(values))
    assert len(values) <= SKETCH_SIZE
    assert all(-(2**63) <= value < 2**63 for value in values)


@given(
    st.lists(st.sampled_from(["\n", " ", "　", "\u200b", "\xa0", ""]), min_size=len(NEWS), max_size=len(NEWS))
)
def test_white_space_does_not_change_a_sketch(spaces: list[str]) -> None:
    assert sketch(
        "".join(f"{character}{space}" for character, space in zip(NEWS, spaces, strict=True))
    ) == sketch(NEWS)


def test_character_width_punctuation_and_script_do_not_change_a_sketch() -> None:
    wide = NEWS.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}).replace("，", ",")
    assert sketch(wide) == sketch(OpenCC("s2t").convert(NEWS)) == sketch(NEWS)


def test_a_sketch_is_the_same_on_every_machine() -> None:
    values = sketch("知识产权法院依法公开宣判一起侵害商标权纠纷案件并当庭送达")
    assert (values[0], values[-1]) == (-9220189874381239281, 1431187622996927667)


def test_a_text_too_short_to_stand_out_has_no_sketch() -> None:
    assert sketch("特此公告。附件：名单") == ()


@pytest.mark.parametrize(("share", "least"), [(0.5, 0.99), (0.3, 0.9)])
def test_a_text_cut_short_stays_a_candidate(share: float, least: float) -> None:
    originals = [random_article(seed) for seed in range(200)]
    found = [
        len({*sketch(body)} & {*sketch(body[: round(len(body) * share)])}) >= SHARED_FOR_CANDIDATE
        for body in originals
    ]
    assert sum(found) / len(found) >= least
