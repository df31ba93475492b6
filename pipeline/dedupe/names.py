"""Whether two differing words are two names (or two kinds, places, outcomes), and not one word edited."""

from __future__ import annotations

import re
from functools import cache

from pipeline.legal.court_codes import divisions

_PARTY_ROLE = (
    r"(?:原告|被告|第三人|上诉人|申请人|异议人|请求人|专利权人|商标权人|权利人|注册人|著作权人|被执行人|债务人|债权人|罪犯|"
    r"嫌疑人|当事人|被处罚人|受让人|许可人|任命|免去|聘任|授予)"
)
_PERSON_ROLE = (
    r"(?:被告人|发明人|代理人|代理师|律师|法定代表人|负责人|审判长|审判员|陪审员|书记员|法官|检察官|院长|庭长|局长|主任|发言人|任命|"
    r"免去|聘任|授予|嫌疑人|原告|被告|当事人)"
)
_ROLE_BEFORE = 16
# What follows a role as a verb or an adverb: the role's bearer is not what differs.
_NOT_A_NAME = frozenset(
    "应须将在被以已曾不未无主认辩称诉提可能需必要对向的是为有与和及或并仍也都均却则因由经就所从立停行使用承实支请指表说介"
    "回强明到出进取得给遭其该此系属享还再又更先后"
)
_FUNCTION = frozenset(
    "因由在将被以已曾不未无与和及或并且仍也都均却则从对向的之是为有该此其各了而于自就还又再更"
)
# What follows a person's full name: the name has ended.
_SAYING = tuple("介绍 说明 指出 表示 认为 告诉 强调 坦言 回应 提出 说 称 还 也 则 就 在 对 向 从 将".split())
# Days as seen from the day of printing: a reprint has its own.
_DAYS = frozenset("近日 日前 近期 最近 昨日 昨天 今日 今天 近 昨 今".split())
# What stands for a name that the reader knows: 我市 is the city of whoever writes, a reprint elsewhere names it.
_POINTING = frozenset("我 本 该 此 这 全 我们 上述 前述 涉案 被诉 原告 被告".split())
# Words that name nothing; a lone letter is no word but a name (A公司).
ENGLISH_PARTICLES = frozenset(
    "the an this that these those its their of in on at to by for from with and or but as than over more also has have "
    "had is are was were be been will would shall should may might can could which who said says".split()
)
# Characters that are written for one another, or mistaken.
_VARIANTS = frozenset(
    frozenset(pair)
    for pair in (
        "他她 他它 她它 的地 的得 做作 像象 帐账 份分 订定 唯惟 粘黏 已己 未末 入人 那哪 坐座 型形 须需 联连 至致 迭叠"
    ).split()
)
_MASKED = re.compile("[某×＊*]")
_MASKED_NAMES = re.compile(r"(?:[一-鿿]某{1,2})+")
_AND = frozenset("、和及与")
_DENIALS = frozenset("不 未 无 非 没 没有 并未 并非 不予 未予".split())
_CURRENCIES = frozenset("美港欧日澳加新")
_ORDINAL_SIGN = frozenset("甲乙丙丁戊己庚辛")
_TRADES = (
    "科技|贸易|商贸|实业|文化|传媒|影视|网络|软件|电子|机械|机电|电器|化工|生物|制药|医药|食品|餐饮|酒业|茶业|茶叶|种业|烟酒|百货|便利|"
    "灯饰|灯具|服装|服饰|鞋业|家具|建材|五金|汽车|物流|环保|新材料"
)
_SUFFIX = re.compile(
    r"(?:\([^()]{1,12}\))?(?:"
    r"省(?!略)|市(?!场)|[县旗镇乡村]|[东西南北中]?(?:路|街|大道)\d|(?:新|开发|高新)?区(?![分别间域])|自治|"
    r"(?:[一-鿿]{0,10}?)(?:有限公司|有限责任|股份公司|股份有限|集团公司|公司与|公司诉|事务所|研究院|研究所|大学|学院|医院)|"
    r"(?:[市省县区第一二三四五六])*(?:知识产权|互联网|金融|海事|铁路运输|中级|高级|基层|人民)*(?:法院|检察院)|"
    r"(?:市|省|县|区)?(?:市场监督管理|市场监管|知识产权|公安|版权|专利)*(?:局|厅|大队)|"
    r"海关|税务|(?:人民)?政府|管委会|委员会|协会|商会|学会|中心|银行|证券(?!化)|信托|法(?![院律规庭官人定治学])|条例|[一-鿿]?集团(?!化)|"
    rf"(?:(?!被告|原告|该|涉案|上述)[一-鿿]{{0,2}}(?:{_TRADES}))?(?:公司(?!法)|商行|经营部|合作社|厂(?![房家商区])|店(?![铺面主员]))|"
    r"同志|先生|女士|,[男女]|某|律师|法官|等人|牌|等\d*[一二三四五六七八九十]*人"
    r")"
)
# What ends as the name of a body or a person does.
_BODY = re.compile(
    r"[一-鿿]{2}(?:法院|法庭|检察院|海关|公司|集团|局|厅|大学|学院|研究院|研究所|事务所|协会|商会|委员会|中心|政府)$"
)
_CHARGE = re.compile(r"[一-鿿]{0,6}?(?:(?<!犯)罪(?![犯责嫌行名])|纠纷|一案)")
_OPEN_QUOTE = re.compile(r"[“「『《‘\"][^“”「」『』《》‘’\"，。；]{0,20}$")
_CLOSE_QUOTE = re.compile(r"^[^“”「」『』《》‘’\"，。；]{0,20}[”」』》’\"]")

# A field of a form, filled with one phrase: its label and a colon; a full stop, or the label of the next field.
_VALUE_BEGINS = re.compile(r":([^\W_]{0,8})$")
_VALUE_ENDS = re.compile(r"([^\W_]{0,8}?)(?:[。;]|(?:[一二三四五六七八九十\d]{1,2}[、.])?[一-鿿]{2,8}:)")

_MARK, _NAME_IN_QUOTES = 12, 24
"""A quotation of so few letters is a name or mark; one somewhat longer is, if more than a letter differs."""

_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚文欧樊兰殷施陶洪翟安颜倪严"
    "牛温芦季俞章鲁葛伍韦申尤毕聂焦向柳邢岳齐梅莫庄辛管祝左涂谷祁耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游裴席卫查屈鲍位"
    "于方常车尚覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强丛华闫邝冼佟肖窦戚喻褚舒卓屠娄晏岑滕蒲邬蔺奚阙鞠晁栾晋匡缪鄢"
)
_BEARER = re.compile(
    rf"(?:教授|研究员|律师|法官|检察官|局长|院长|市长|主任|处长|庭长|代表|委员)[{''.join(sorted(_SURNAMES))}][一-鿿]{{1,2}}$"
)
# Surnames that are hardly ever part of another word: after one of these, the rest of a name follows.
_PLAIN_SURNAMES = frozenset(
    "李刘陈杨赵吴徐孙胡朱郭罗郑谢韩唐冯董萧曹袁邓沈彭吕苏卢蒋蔡贾魏薛阎潘杜戴汪姜姚谭廖邹熊郝崔邱侯邵孟尹黎贺赖龚闫肖"
)

_PARTY = re.compile(_PARTY_ROLE + r"人?[:、\"“《(]?(?:\(.{0,12}\))?$")
_BEFORE_A_PERSON = re.compile(f"{_PERSON_ROLE}[:、]?$")
_AFTER_A_PERSON = re.compile("教授|院士|博士|研究员")
_PERSON = re.compile(f"{_PERSON_ROLE}[:、]?[{''.join(sorted(_SURNAMES))}][一-鿿]?$")
_ANY_PARTY = re.compile(
    r"原告|被告|上诉人|申请人|请求人|专利权人|权利人|嫌疑人|罪犯|当事人|被执行人|有限公司|[一-鿿][某×]|任命|免去"
)

_PLACES = (
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 "
    "湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 "
    "香港 澳门 义乌 "
    "美国 加拿大 墨西哥 巴西 阿根廷 智利 英国 法国 德国 意大利 西班牙 荷兰 瑞士 俄罗斯 土耳其 印度 日本 韩国 朝鲜 越南 "
    "泰国 马来西亚 新加坡 菲律宾 印度尼西亚 阿联酋 沙特 埃及 尼日利亚 肯尼亚 南非 澳大利亚 新西兰"
)
_CLASSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("place", tuple(_PLACES.split())),
    (
        "kind of right",
        (
            "发明",
            "实用新型",
            "外观设计",
            "商标",
            "著作权",
            "专利",
            "商业秘密",
            "植物新品种",
            "布图设计",
            "地理标志",
        ),
    ),
    ("instance", ("一审", "二审", "再审", "初审", "终审")),
    (
        "outcome",
        (
            "维持",
            "撤销",
            "驳回",
            "支持",
            "准许",
            "准予",
            "不予",
            "批准",
            "宣告",
            "有效",
            "无效",
            "全部",
            "部分",
            "起诉",
            "逮捕",
            "释放",
        ),
    ),
    ("award", ("判赔", "赔偿", "驳回")),
    ("action", ("任命", "免去", "聘任", "解聘", "受理", "审结", "公开开庭", "不公开开庭")),
    ("part in a crime", ("主犯", "从犯")),
    ("side", ("原告", "被告", "上诉人", "被上诉人", "申请人", "被申请人")),
    ("time of day", ("上午", "下午", "晚上")),
    ("stage", ("征求意见稿", "送审稿", "草案", "试行", "修订", "正式")),
)
_CLASS_CONTEXT = 3
_DIVISION_NAMES = range(2, 6)
"""Letters of the names of cities and counties that are looked for: 湖州, 湖州市, 黄石港区."""
_COUNTY_CODE = 6


def explain_two_names(a: str, b: str, left: str, right: str) -> str | None:
    """Why `a` and `b`, which stand at the same place of two texts, name two things; None where they may be an edit.

    `left` and `right` are what both texts have before and after them (some 20 characters of folded text).
    """
    if frozenset((a, b)) in _VARIANTS:
        return None
    if (
        _MASKED.search(a)
        or _MASKED.search(b)
        or right[:1] in {"某", "×", "*"}
        or left[-1:] in {"某", "×", "*"}
    ):
        return "masked names"
    if set(a) & _ORDINAL_SIGN and set(b) & _ORDINAL_SIGN:
        return "masked names"
    before = left[-_ROLE_BEFORE:]
    if (role := _PARTY.search(before)) and not starts_as_edit(a) and not starts_as_edit(b):
        return f"names after {role[0]}"
    if (role := _PERSON.search(before)) and not a.startswith(_SAYING) and not b.startswith(_SAYING):
        return f"names after {role[0]}"
    is_pointing = a in _POINTING or b in _POINTING or (a[0] in _FUNCTION and b[0] in _FUNCTION)
    if (suffix := _SUFFIX.match(right)) and not is_pointing:
        return f"names before {suffix[0]}"
    if _BODY.search(a) and _BODY.search(b) and not is_pointing:
        return "two bodies"
    if _BEARER.search(a) and _BEARER.search(b):
        return "two persons"
    whole_words = len(a) > 1 and len(b) > 1
    if whole_words and (charge := _CHARGE.match(right)):
        return f"charges or causes of action before {charge[0]}"
    opened, closed = _OPEN_QUOTE.search(left), _CLOSE_QUOTE.search(right)
    if opened and closed:
        quotation = len(opened[0]) + max(len(a), len(b)) + len(closed[0]) - 2
        if quotation <= _MARK or (whole_words and quotation <= _NAME_IN_QUOTES):
            return "names in quotation marks"
    if a in _CURRENCIES and b in _CURRENCIES and right.startswith("元"):
        return "two currencies"
    before_value, after_value = _VALUE_BEGINS.search(left), _VALUE_ENDS.match(right)
    if whole_words and before_value and after_value and not is_pointing:
        around = len(before_value[1]) + len(after_value[1])
        if around <= min(len(a), len(b)):
            return "values of one field"
    return _explain_persons(a, b, left, right) or _explain_classes(a, b, left, right)


def explain_longer_name(added: str, left: str, right: str) -> str | None:
    """Why `added`, which one text has and the other lacks at this place, makes another name (张某, 张某某)."""
    is_given = len(added) == 1 and added not in _NOT_A_NAME
    if set(added) <= {"某"} or (is_given and left.endswith("某")):
        return "masked names"
    if _MASKED_NAMES.fullmatch(added) and (left[-1:] in _AND or right[:1] in _AND):
        return "one person and several"
    if added in _DENIALS:
        return "a statement and its denial"
    if added in _CURRENCIES and right.startswith("元"):
        return "two currencies"
    if is_given and (role := _PERSON.search(left[-_ROLE_BEFORE:])):
        return f"names after {role[0]}"
    return None


def starts_as_edit(text: str) -> bool:
    """Whether a differing passage begins as a verb or an adverb does, not as a name; 近日 is one."""
    return text[0] in _NOT_A_NAME or text.startswith("马上") or text in _DAYS


def are_fields(a: str, b: str) -> bool:
    """Whether two texts that say `a` and `b` at several places are a form filled twice, and no edit made throughout."""
    is_edit = any(starts_as_edit(text) or text in _POINTING or text in ENGLISH_PARTICLES for text in (a, b))
    return not is_edit and frozenset((a, b)) not in _VARIANTS


def has_party(text: str) -> bool:
    """Whether a passage says who it is about: a party's role, a firm, a masked name."""
    return bool(_ANY_PARTY.search(text))


def _explain_persons(a: str, b: str, left: str, right: str) -> str | None:
    longest = max(len(a), len(b))
    if a[0] in _SURNAMES and b[0] in _SURNAMES and longest <= 4:
        return "personal names"
    if left[-1:] in _PLAIN_SURNAMES and longest <= 2:
        return "personal names"
    has_surname = a[0] in _SURNAMES or b[0] in _SURNAMES
    is_edit = starts_as_edit(a) or starts_as_edit(b) or a.startswith(_SAYING) or b.startswith(_SAYING)
    beside_role = _BEFORE_A_PERSON.search(left) or _AFTER_A_PERSON.match(right)
    if has_surname and not is_edit and beside_role and min(len(a), len(b)) > 1 and longest <= 4:
        return "personal names"
    return None


def _explain_classes(a: str, b: str, left: str, right: str) -> str | None:
    wide_a, wide_b = (f"{left[-_CLASS_CONTEXT:]}{text}{right[:_CLASS_CONTEXT]}" for text in (a, b))
    for label, members in _CLASSES:
        in_a = {member for member in members if member in wide_a}
        in_b = {member for member in members if member in wide_b}
        if label == "place":
            in_a |= _find_divisions(wide_a)
            in_b |= _find_divisions(wide_b)
        if in_a - in_b and in_b - in_a:
            return f"two values of {label}"
    return None


def _find_divisions(text: str) -> set[str]:
    found = {text[at : at + size] for size in _DIVISION_NAMES for at in range(len(text) - size + 1)}
    return found & _divisions()


def is_city(name: str) -> bool:
    """Whether a word is the name of a city that is the seat of a prefecture, without 市."""
    return name in _cities()


@cache
def _divisions() -> frozenset[str]:
    """The names of cities and counties, those of the seats of prefectures also without 市. 郊区 is a word as well."""
    return frozenset({name for name, _ in divisions().values()} - {"郊区"} | _cities())


@cache
def _cities() -> frozenset[str]:
    return frozenset(
        name.removesuffix("市") for code, (name, _) in divisions().items() if len(code) < _COUNTY_CODE
    )
