"""Texts written for the near-duplicate benchmark: articles, and forms whose fields tell notices apart.

All wording, names and numbers are invented. A form that is filled twice gives a look-alike: two notices that
read alike and are different things.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英建华文辉玲志鹏宇浩然子轩雨欣思远嘉怡晨曦国栋海燕晓峰"
CITIES = "北京 上海 广州 深圳 杭州 南京 苏州 宁波 成都 武汉 西安 青岛 济南 郑州 长沙 合肥 福州 厦门 天津 重庆".split()
BRANDS = (
    "云岭 海纳 天枢 瑞禾 明澈 恒川 蓝桉 青禾 星屿 远帆 嘉穗 同舟 永泰 华腾 润泽 金梧 博识 启航 睿联 盛原 白鹿 赤峰 东篱 南屏"
).split()
TRADES = "科技 生物 电子 食品 文化传媒 机械 新材料 医药 服饰 智能装备 网络 种业".split()
PLACES = "朝阳 海淀 浦东 天河 南山 余杭 鼓楼 江岸 雁塔 高新 历下 思明".split()
GOODS = "运动鞋 白酒 轴承 化妆品 玩具 儿童读物 润滑油 手机配件 茶叶 箱包 打印耗材 水稻种子".split()
INVENTIONS = (
    "一种数据同步方法 一种可折叠婴儿车 一种锂电池隔膜及其制备方法 一种图像去噪装置 一种多级旋转接头 一种玉米播种机 "
    "一种抗菌涂料 一种车载通信终端 一种语音唤醒方法 一种医用输液支架"
).split()
CHARGES = "假冒注册商标 销售假冒注册商标的商品 侵犯著作权 侵犯商业秘密 非法制造注册商标标识 假冒专利".split()
CAUSES = "侵害商标权纠纷 侵害发明专利权纠纷 著作权权属、侵权纠纷 不正当竞争纠纷 侵害技术秘密纠纷 植物新品种权纠纷".split()
POSTS = (
    "审判委员会委员 知识产权审判庭庭长 立案庭副庭长 审判员 执行局局长 综合办公室主任 技术调查室主任".split()
)


@dataclass(frozen=True, slots=True)
class Form:
    """A notice with fields. `identity` are the fields of which each alone makes it another notice."""

    title: str
    body: str
    identity: tuple[str, ...]


def draw(random: Random, field: str) -> str:
    """A value for a field; the field's name up to its digit says the kind (`person1`, `date2`)."""
    return _DRAWS[field.rstrip("0123456789")](random)


def fill(form: Form, values: dict[str, str]) -> tuple[str, str]:
    """Title and body of the form."""
    return form.title.format_map(values), form.body.format_map(values)


def fields_of(form: Form) -> tuple[str, ...]:
    """The names of a form's fields, in order of appearance."""
    text = form.title + form.body
    return tuple(dict.fromkeys(piece.split("}", 1)[0] for piece in text.split("{")[1:]))


def write_article(random: Random) -> tuple[str, str]:
    """A news article of some 200 to 3,500 characters: title and body."""
    values = {name: draw(random, name) for name in ("city", "firm1", "firm2", "person1", "person2", "court")}
    size = random.choice((4, 6, 9, 14, 20, 28))
    sentences = random.sample(SENTENCES, size)
    paragraphs = []
    while sentences:
        take = random.choice((1, 2, 2, 3))
        paragraphs.append("".join(_fill_sentence(random, sentence, values) for sentence in sentences[:take]))
        sentences = sentences[take:]
    return _fill_sentence(random, random.choice(HEADLINES), values), "\n".join(paragraphs)


def _fill_sentence(random: Random, sentence: str, values: dict[str, str]) -> str:
    names = [piece.split("}", 1)[0] for piece in sentence.split("{")[1:]]
    return sentence.format_map({name: values.get(name) or draw(random, name) for name in names})


def _person(random: Random) -> str:
    return random.choice(SURNAMES) + "".join(random.sample(GIVEN, random.choice((1, 2, 2))))


def _masked(random: Random) -> str:
    return random.choice(SURNAMES) + random.choice(("某", "某某", "某甲", f"某{random.choice(GIVEN)}"))


def _firm(random: Random) -> str:
    return f"{random.choice(CITIES)}{random.choice(BRANDS)}{random.choice(TRADES)}{random.choice(('有限公司', '股份有限公司'))}"


def _court(random: Random) -> str:
    return f"{random.choice(CITIES)}{random.choice(('知识产权法院', '市中级人民法院', '互联网法院', '市高级人民法院'))}"


def _case(random: Random) -> str:
    court = random.choice(
        ("京73民初", "沪73民终", "粤03民初", "浙01知民初", "苏05民初", "最高法知民终", "鲁02知刑初")
    )
    return f"({random.choice((2024, 2025, 2026))}){court}{random.randint(2, 4999)}号"


def _date(random: Random) -> str:
    return f"{random.choice((2024, 2025, 2026))}年{random.randint(1, 12)}月{random.randint(1, 28)}日"


def _chinese_date(random: Random) -> str:
    digits = "〇一二三四五六七八九"
    months = "一 二 三 四 五 六 七 八 九 十 十一 十二".split()
    year = "".join(digits[int(digit)] for digit in str(random.choice((2024, 2025, 2026))))
    return f"{year}年{random.choice(months)}月{random.choice(months)}日"


def _amount(random: Random) -> str:
    return random.choice(
        (
            f"{random.randint(2, 900)}万元",
            f"{random.randint(10, 99)}.{random.randint(1, 9)}万元",
            f"{random.randint(1, 9)}.{random.randint(1, 9)}亿元",
            f"{random.randint(10, 99)},{random.randint(100, 999)}元",
        )
    )


def _patent(random: Random) -> str:
    return f"ZL20{random.randint(10, 24)}{random.choice((1, 2, 3))}0{random.randint(100000, 999999)}.{random.randint(0, 9)}"


_DRAWS: dict[str, Callable[[Random], str]] = {
    "person": _person,
    "masked": _masked,
    "firm": _firm,
    "court": _court,
    "case": _case,
    "date": _date,
    "signed": _chinese_date,
    "amount": _amount,
    "patent": _patent,
    "city": lambda random: random.choice(CITIES),
    "place": lambda random: random.choice(PLACES),
    "mark": lambda random: random.choice(BRANDS),
    "goods": lambda random: random.choice(GOODS),
    "invention": lambda random: random.choice(INVENTIONS),
    "charge": lambda random: random.choice(CHARGES),
    "cause": lambda random: random.choice(CAUSES),
    "post": lambda random: random.choice(POSTS),
    "year": lambda random: str(random.randint(2015, 2027)),
    "month": lambda random: str(random.randint(1, 12)),
    "count": lambda random: str(random.randint(3, 9800)),
    "percent": lambda random: f"{random.randint(1, 60)}.{random.randint(1, 9)}%",
    "serial": lambda random: str(random.randint(100, 999)),
    "long": lambda random: str(random.randint(10_000_000, 79_999_999)),
    "decision": lambda random: str(random.randint(40_000, 79_999)),
    "hour": lambda random: (
        f"{random.choice(('上午9', '上午10', '下午2', '下午3'))}时{random.choice(('', '30分', '15分'))}"
    ),
    "room": lambda random: f"第{random.choice('一二三四五六七八九')}法庭",
    "batch": lambda random: random.choice("二三四五六七八九十"),
    "outcome": lambda random: random.choice(("宣告专利权全部无效", "宣告专利权部分无效", "维持专利权有效")),
}

_LAW = (
    "《中华人民共和国刑事诉讼法》规定，人民检察院对于公安机关移送的案件，应当依法审查事实是否清楚、证据是否确实充分。\n"
    "审查期间，检察机关依法告知其享有的诉讼权利，并讯问了犯罪嫌疑人，听取了辩护人和被害单位的意见，审阅了全部案件材料。\n"
    "知识产权犯罪不仅损害权利人的合法利益，也扰乱市场经济秩序，妨碍创新活力，应当依法惩治。\n"
    "《中华人民共和国刑法》规定，未经注册商标所有人许可，在同一种商品、服务上使用与其注册商标相同的商标，情节严重的，"
    "处三年以下有期徒刑，并处或者单处罚金；情节特别严重的，处三年以上十年以下有期徒刑，并处罚金。\n"
    "以营利为目的，未经著作权人许可，复制发行、通过信息网络向公众传播其作品，违法所得数额较大或者有其他严重情节的，"
    "处三年以下有期徒刑，并处或者单处罚金。\n"
    "检察机关在办案中坚持惩治犯罪与追赃挽损并重，督促退赔，推动权利人与行为人在法律框架内化解矛盾，并依法适用认罪认罚从宽制度。\n"
    "对于在共同犯罪中起次要或者辅助作用、如实供述、积极退赃的人员，依法提出从宽处理的意见；对于组织者、主要获利者，依法从严追诉。\n"
    "检察机关提醒广大经营者：尊重他人商标、专利和作品，进货时查验授权文件，发现假冒线索及时向有关部门反映。\n"
    "下一步，检察机关将继续综合履行刑事、民事、行政和公益诉讼检察职能，服务保障高质量发展。"
)

FORMS: dict[str, Form] = {
    "hearing notice": Form(
        "{court}开庭公告",
        "本院定于{date}{hour}在{room}依法公开开庭审理{case}原告{firm1}诉被告{firm2}{cause}一案。特此公告。",
        ("date", "case", "firm1", "firm2"),
    ),
    "daily hearing list": Form(
        "{date}知识产权庭审预告",
        "根据法律规定，现将本院当日公开开庭的案件预告如下，公民可以凭有效证件旁听，旁听人员应当遵守法庭规则，未经许可不得录音、录像。\n"
        "1. {hour1}，{room1}，{case1}，{firm1}诉{firm2}{cause1}，承办法官{person1}。\n"
        "2. {hour2}，{room2}，{case2}，{firm3}诉{firm4}{cause2}，承办法官{person2}。\n"
        "3. {hour3}，{room3}，{case3}，{firm5}诉{person4}{cause3}，承办法官{person3}。\n"
        "旁听座位有限，请提前三十分钟到达安检通道。因故变更开庭时间的，以本院诉讼服务中心当日公布的信息为准。",
        ("date", "case1", "case2", "case3"),
    ),
    "numbered announcement": Form(
        "国家知识产权局公告（第{serial}号）",
        "根据官方标志保护的有关规定，现将依照程序通报的{count}件标志予以公告，自本公告发布之日起，任何单位和个人未经许可不得将与上述标志相同或者近似的"
        "标志作为商标注册或者使用。标志的图样及其说明见附件。\n特此公告。\n附件：标志图样及说明\n国家知识产权局\n{signed}",
        ("serial",),
    ),
    "invalidation decision": Form(
        "第{decision}号无效宣告请求审查决定",
        "无效宣告请求人{firm1}于{date1}针对专利权人{firm2}的第{patent}号、名称为“{invention}”的专利提出无效宣告请求，其理由是权利要求1不具备新颖性，"
        "权利要求2至6不具备创造性，不符合专利法第二十二条的规定。\n"
        "合议组经审查受理后，将请求书及附件副本转送专利权人，专利权人在指定期限内提交了意见陈述书，未修改权利要求书。合议组于{date2}进行口头审理，双方当事人均委托"
        "代理人出席，对合议组成员及书记员无回避请求，对出席人员的身份和资格没有异议。\n"
        "合议组认为，判断发明是否具备创造性，应当首先确定最接近的现有技术，其次确定区别特征和实际解决的技术问题，最后判断要求保护的发明对本领域技术人员来说是否显而易见。"
        "如果现有技术整体上没有给出将区别特征应用于最接近的现有技术以解决该技术问题的启示，则该发明具备突出的实质性特点。\n"
        "基于上述事实和理由，合议组作出如下决定：{outcome}。当事人对本决定不服的，可以自收到通知之日起三个月内向人民法院起诉，对方当事人作为第三人参加诉讼。",
        ("decision", "patent", "firm2", "invention"),
    ),
    "arrest notice": Form(
        "检察机关依法对{masked1}批准逮捕",
        "近日，{city}市{place}区人民检察院以涉嫌{charge}罪对犯罪嫌疑人{masked1}作出批准逮捕决定。案件正在进一步办理中。\n"
        + _LAW,
        ("masked1",),
    ),
    "prosecution notice": Form(
        "{masked1}涉嫌{charge}案提起公诉",
        _LAW
        + "\n日前，犯罪嫌疑人{masked1}、{masked2}涉嫌{charge}罪一案，由{city}市公安局{place}分局侦查终结，移送审查起诉，{city}市{place}区人民检察院"
        "已向人民法院提起公诉。",
        ("masked1", "masked2"),
    ),
    "monthly statistics": Form(
        "{year}年{month}月专利商标统计数据发布",
        "国家知识产权局有关负责人介绍，{year}年{month}月，全国授权发明专利{count1}件，同比增长{percent1}；授权实用新型专利{count2}件，同比增长{percent2}；"
        "授权外观设计专利{count3}件，同比下降{percent3}。商标注册申请量为{count4}件，核准注册{count5}件，同比增长{percent4}。受理专利国际申请{count6}件，"
        "其中来自国内的{count7}件。收到马德里商标国际注册申请{count8}件。审查周期持续压减，发明专利平均审查周期保持稳定，社会满意度继续提升。",
        ("count1", "count2", "count4", "count5"),
    ),
    "guiding case": Form(
        "指导性案例{serial}号：{firm1}诉{firm2}{cause}案",
        "指导性案例{serial}号\n{firm1}诉{firm2}{cause}案\n关键词 民事 知识产权 侵权责任 举证妨碍 惩罚性赔偿\n"
        "裁判要点\n被诉侵权人无正当理由拒不提供其掌握的账簿、资料的，人民法院可以参考权利人的主张和提供的证据认定侵权获利，并据此确定赔偿数额。\n"
        "相关法条\n《中华人民共和国民法典》第一千一百八十五条\n"
        "基本案情\n原告{firm1}诉称，其自{date1}起享有涉案权利，被告{firm2}未经许可大量实施侵权行为，请求判令停止侵权并赔偿{amount1}。被告辩称其行为具有合法来源。\n"
        "裁判结果\n{court}于{date2}作出{case}民事判决：被告立即停止侵权，赔偿原告经济损失及合理开支{amount2}。宣判后，双方均未上诉。\n"
        "裁判理由\n法院生效裁判认为，合法来源抗辩的成立须同时满足主观上不知道和客观上有合法来源两个条件。被告未能提交完整的交易凭证，其抗辩不能成立。",
        ("serial", "case", "firm1", "amount2"),
    ),
    "appointment": Form(
        "{city}市人民代表大会常务委员会任免名单",
        "{city}市人民代表大会常务委员会任免名单\n（{date}通过）\n任命{person1}为{city}市中级人民法院{post1}。\n任命{person2}为{city}市中级人民法院{post2}。\n"
        "免去{person3}的{city}市中级人民法院{post3}职务。",
        ("person1", "person2", "person3", "date"),
    ),
    "fee notice": Form(
        "关于{year}年度专利年费缴纳有关事项的通知",
        "各专利权人、专利代理机构：为便于及时办理缴费手续，现就{year}年度专利年费缴纳有关事项通知如下。一、专利权人应当在上一年度期满前缴纳本年度年费，期满未缴或者未缴足的，"
        "可以自期满之日起六个月内补缴，同时缴纳滞纳金。二、缴费人可以通过网上缴费系统、银行汇款、邮局汇款或者面交等方式办理，汇款时应当写明正确的专利号和费用名称。"
        "三、符合减缴条件的，应当事先办理备案手续。四、期满仍未缴纳的，专利权自应当缴纳年费期满之日起终止。请妥善保管缴费凭证。",
        ("year",),
    ),
    "draft and final": Form(
        "知识产权行政裁决办理规程",
        "第一条 为规范行政裁决办理工作，保护当事人合法权益，制定本规程。\n第二条 请求人应当提交请求书和证据材料，并按照被请求人的人数提供副本。\n"
        "第三条 办案机关应当自收到请求书之日起{days1}个工作日内决定是否受理；不予受理的，应当书面说明理由。\n"
        "第四条 被请求人应当自收到请求书副本之日起{days2}日内提交答辩书；逾期不提交的，不影响案件办理。\n"
        "第五条 案件应当自立案之日起{days3}个月内办结；情况复杂的，经批准可以延长。\n第六条 当事人对行政裁决不服的，可以依法向人民法院提起诉讼。\n"
        "第七条 办案人员与案件有利害关系的，应当回避。\n第八条 本规程自{date}起施行。",
        ("days1", "days2", "days3", "date"),
    ),
    "damages award": Form(
        "{cause}一审宣判",
        "{court}对原告{firm1}与被告{firm2}{cause}一案公开宣判，判决被告立即停止侵害原告“{mark}”系列权利的行为，赔偿原告经济损失{amount1}及合理开支{amount2}。"
        "法院认为，被告明知原告权利的存在，仍在同类商品上突出使用近似标识，侵权时间长、范围广，主观故意明显，应当承担相应的民事责任。关于赔偿数额，综合考虑权利的知名度、"
        "侵权情节、获利情况以及原告为制止侵权支出的费用，酌情予以确定。双方当事人及部分市民代表旁听了宣判。",
        ("amount1", "firm1", "firm2", "mark"),
    ),
    "penalty decision": Form(
        "{city}市市场监督管理局行政处罚决定书",
        "{city}市监处罚〔{year}〕{serial}号\n当事人：{firm}\n经查，当事人自{date1}起在其经营场所销售侵犯“{mark}”注册商标专用权的{goods}，违法经营额{amount1}，案发后积极配合调查并主动消除影响。"
        "上述事实有现场笔录、询问笔录、进货单据和商标权利人出具的鉴别意见等证据证明。依据《中华人民共和国商标法》第六十条第二款的规定，责令当事人立即停止侵权行为，并作出如下处罚："
        "一、没收侵权商品；二、罚款{amount2}。当事人应当自收到本决定书之日起十五日内缴纳罚款，逾期不缴纳的，每日按罚款数额的百分之三加处罚款。如不服本决定，可以依法申请行政复议或者提起行政诉讼。",
        ("serial", "firm", "amount2", "mark"),
    ),
    "service by publication": Form(
        "商标评审案件公告送达",
        "{firm}：关于第{long}号“{mark}”商标无效宣告案件，因通过邮寄方式无法送达，现依法向你方公告送达裁定书。自本公告发布之日起满三十日视为送达。如对裁定不服，可以自送达之日起三十日内向"
        "{court}起诉。",
        ("firm", "long", "mark"),
    ),
    "batch of cases": Form(
        "{city}法院发布第{batch}批知识产权典型案例",
        "为发挥典型案例的示范引领作用，{court}今日发布第{batch}批知识产权保护典型案例。这批案例涵盖专利、商标、著作权、不正当竞争等多个领域，体现了严格保护的司法导向，"
        "对类似案件的审理具有参考价值。下一步，法院将继续加强调研指导，统一裁判尺度，完善技术事实查明机制，提高审判质效，营造尊重知识价值的营商环境，为科技创新提供有力的司法服务和保障。",
        ("batch",),
    ),
}
_DRAWS["days"] = lambda random: str(random.randint(3, 60))

HEADLINES = (
    "{city}：知识产权保护再添新举措",
    "{court}发布年度审判工作情况",
    "{firm1}诉{firm2}案一审有果",
    "从一起案件看创新成果如何获得保护",
    "{city}开展专项行动护航创新",
    "专家热议{city}经验：保护知识产权就是保护创新",
    "{court}与多部门建立协同保护机制",
)

SENTENCES = (
    "{date}，{court}召开新闻发布会，通报今年以来知识产权审判工作情况，并回答了记者提问。",
    "据介绍，今年以来该院共受理各类知识产权案件{count}件，审结{count1}件，同比增长{percent}。",
    "其中，涉及集成电路、生物医药、人工智能等前沿领域的案件占比明显上升，审理难度不断加大。",
    "{firm1}是一家主要从事研发与制造的企业，其产品在国内多个省份销售，拥有一定的市场知名度。",
    "原告认为，{firm2}在未获许可的情况下使用了与其注册商标近似的标识，容易导致相关公众混淆。",
    "被告辩称，涉案标识系行业通用名称，属于正当使用，并且其进货渠道合法，不应承担赔偿责任。",
    "法院经审理查明，双方曾于{date}签订合作协议，协议到期后被告仍继续使用相关图文资料。",
    "合议庭围绕权利基础是否稳定、被诉行为是否构成侵权以及责任如何承担三个焦点展开审理。",
    "法院最终判令被告停止侵害，在其官方账号首页连续七日刊登声明消除影响，并赔偿原告{amount}。",
    "一审宣判后，{firm2}不服提出上诉，二审法院经审理驳回上诉，维持原判。",
    "承办法官{person1}介绍，本案的难点在于技术事实的查明，技术调查官全程参与了现场勘验。",
    "为提高效率，法院推行要素式审判，当事人通过在线平台即可完成立案、举证、质证等环节。",
    "在{city}，一支由审查员、律师和行业专家组成的志愿服务队定期走进园区，为企业提供免费咨询。",
    "“维权成本降下来了，我们才敢放心投入研发。”{firm1}负责人{person2}对记者说。",
    "当地市场监管部门还与公安、海关建立线索移送机制，全年移送案件{count}件，涉案金额{amount}。",
    "行动期间，执法人员检查经营主体{count}家次，查获侵权商品{count1}件，立案{count2}起。",
    "值得注意的是，不少侵权行为由线下转向直播间，隐蔽性强、传播速度快，给取证带来新的挑战。",
    "为此，多家电商平台承诺在接到通知后二十四小时内核实处理，并向权利人反馈处理结果。",
    "业内人士指出，数据要素的权属与流转规则尚待完善，有必要通过个案积累逐步形成共识。",
    "有学者认为，惩罚性赔偿的适用应当兼顾威慑与公平，基数与倍数的确定需要更透明的说理。",
    "国家知识产权局日前公布的资料显示，我国有效发明专利中高价值专利的比重持续提升。",
    "截至{year}年底，{city}有效发明专利拥有量达到{count}件，每万人口高价值发明专利拥有量居全国前列。",
    "{city}还设立了总规模{amount}的知识产权质押融资风险补偿资金，已帮助{count}家企业获得贷款。",
    "相关企业负责人表示，凭借一纸专利证书就能拿到贷款，解了原材料采购的燃眉之急。",
    "在地理标志保护方面，当地推动建立从种植、加工到销售的全链条标准，带动农户增收。",
    "非遗传承人{person1}说，过去图案被人随意照搬却无可奈何，如今办理了作品登记，心里踏实多了。",
    "检察机关在履职中发现，部分商家在网店页面冒用他人专利号，遂制发检察建议督促整改。",
    "整改后，相关平台下架链接{count}条，并上线了专利信息自动核验功能。",
    "人民调解组织也在其中发挥作用，去年成功调解纠纷{count}件，平均用时不足二十天。",
    "谈到下一步打算，{court}有关负责人表示，将继续优化审判资源配置，加快推进巡回审判点建设。",
    "记者了解到，首批巡回审判点已经在三个开发区挂牌运行，群众在家门口就能参加庭审。",
    "不少代理律师反映，跨区域立案的流程更加顺畅，材料一次提交、多地共享，节省了往返时间。",
    "涉外案件方面，法院平等保护中外当事人合法权益，多起案件双方在判决后握手言和并达成许可协议。",
    "此外，{city}高校与法院共建实习基地，今年有{count}名学生参与案例整理和外文资料翻译。",
    "多位代表委员建议，进一步健全快速维权机制，缩短外观设计授权周期，回应中小微企业的期盼。",
    "在审理植物新品种案件时，法院邀请农技专家到田间取样，用通俗的语言解释检测报告中的专业术语。",
    "该案被告在诉讼中毁损证据，法院依法对其处以{amount}罚款，并作出对其不利的事实推定。",
    "判决生效后，被告主动履行了全部给付义务，并与原告就后续合作进行了初步接洽。",
    "案件的办理促使行业协会出台自律公约，要求会员单位建立版权审查制度，规范素材的采购与使用。",
    "针对开源软件许可证纠纷，合议庭结合许可证条款与行业惯例，明确了衍生作品的认定思路。",
    "庭审当天，三十余名企业法务人员到场旁听，庭后与法官就商业秘密保密措施的合理性进行交流。",
    "普法宣传同样没有缺席，工作人员把常见问题编成漫画手册，在集市和地铁站向市民免费发放。",
)
