"""Texts for the benchmark of search: made up, with frequencies as those of a language.

Words are drawn by Zipf's law from a vocabulary of two and three characters. An article is a head (a case with its
court, number, parties, sum and kind of right), sentences that many articles share, and some that are its own. Heads and
shared sentences come from pools, so that a million articles are made in minutes: their facts are found once, by the
pipeline's own finders, and shared sentences are such as have none. Articles come in the order of their dates but for
one in ten, which is filled in later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

from pipeline.legal import Fact, find_facts
from pipeline.store.documents import words_of

FIRST_DAY, LAST_DAY = date(2006, 1, 1), date(2026, 11, 20)
BACK_FILLED = 0.1
LENGTH = 800
"""Characters of a body, about."""
_WORDS, _SENTENCES, _HEADS = 20_000, 20_000, 4_000
_CHARACTERS = (
    "市场公司创新发展管理经营企业规定工作服务技术产品生产研究设计标记信息数据网络平台电子商品品牌质量安全环境"
    "教育文化历史传统社会生活人民群众干部组织会议报告计划项目投资金融银行保险税收财政预算农业林业水利交通运输"
    "建筑材料机械化工医药食品饮料服装鞋帽玩具家具电器汽车船舶航空航天能源石油煤炭钢铁有色稀土森林草原海洋河流"
    "山川城镇乡村道路桥梁港口机场车站学校医院图书馆博物馆体育运动音乐舞蹈戏剧电影电视广播报纸杂志出版印刷发行"
)
_ENGLISH = (
    "the of and in to for market company report growth service product quality brand design network data platform "
    "export import policy plan meeting office region project energy steel ocean river bridge school library museum "
    "music theatre journal printing harbour forest village"
).split()
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
COURTS = (
    ("北京知识产权法院", "京73"), ("上海知识产权法院", "沪73"), ("广州知识产权法院", "粤73"),
    ("广州互联网法院", "粤0192"), ("杭州市中级人民法院", "浙01"), ("江苏省高级人民法院", "苏"), ("最高人民法院", "最高法知"),
    ("深圳市中级人民法院", "粤03"), ("成都市中级人民法院", "川01"), ("济南市中级人民法院", "鲁01"),
)  # fmt: skip
_CAUSES = (
    "侵害商标权",
    "侵害发明专利权",
    "侵害外观设计专利权",
    "侵害作品信息网络传播权",
    "侵害商业秘密",
    "不正当竞争",
)
_NAMES = "澄禾云岭蓝湾松石青柏远帆晨曦瑞和金穗白鹭海棠星野"
PUBLISHERS = (*(court for court, _ in COURTS), "国家知识产权局", "某省市场监督管理局", "某报")
SOURCES = tuple(f"benchmark_{number:02d}" for number in range(40))


@dataclass(frozen=True, slots=True)
class Head:
    """How articles begin: their title and first lines, with the facts of both."""

    title: str
    text: str
    title_facts: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    title_words: str
    words: str
    english: bool


@dataclass(frozen=True, slots=True)
class Article:
    """An article as it is to be stored; `moment` is a day, an instant, or None where no date could be read.

    `words` are the tokens of title, publisher and body as the pipeline makes them."""

    number: int
    head: Head
    publisher: str
    source: str
    body: str
    words: str
    moment: date | datetime | None


class Texts:
    """Makes articles; the same for one seed."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random = Random(seed)
        self.vocabulary = self._chinese_words()
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(self.vocabulary))))
        self.english = [*_ENGLISH, *("".join(random.sample(_SYLLABLES, 3)) for _ in range(4000))]
        self._english_weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(self.english))))
        self.sentences = [self._inert(self.sentence) for _ in range(_SENTENCES)]
        self._english_sentences = [self._inert(self.english_sentence) for _ in range(_SENTENCES // 10)]
        self._tokens = [words_of("", "", text, ()) for text in self.sentences]
        self._english_tokens = [words_of("", "", text, ()) for text in self._english_sentences]
        self._publishers = {name: words_of("", name, "", ()) for name in PUBLISHERS}
        self.heads = [self._head() for _ in range(_HEADS)]

    def articles(self, first: int, last: int, of: int) -> Iterator[Article]:
        """Articles of these numbers, from a store of so many; the same whenever they are asked for."""
        self.random = Random(first)
        return (self._article(number, of) for number in range(first, last + 1))

    def sentence(self) -> str:
        """Some words, and a full stop."""
        number = self.random.randint(5, 13)
        return "".join(self.random.choices(self.vocabulary, cum_weights=self._weights, k=number)) + "。"

    def english_sentence(self) -> str:
        """The same in Latin letters."""
        number = self.random.randint(5, 13)
        return " ".join(self.random.choices(self.english, cum_weights=self._english_weights, k=number)) + ". "

    def _inert(self, make: object) -> str:
        while True:
            text = str(make())  # type: ignore[operator]
            if not find_facts(text):
                return text

    def _chinese_words(self) -> list[str]:
        characters = sorted(set(_CHARACTERS))
        self.random.shuffle(characters)
        words: dict[str, None] = {}
        # The commonest words are as they are, the others any characters together.
        for at in range(0, 100, 2):
            words[_CHARACTERS[at : at + 2]] = None
        while len(words) < _WORDS:
            words["".join(self.random.choices(characters, k=2 if self.random.random() < 0.7 else 3))] = None
        return list(words)

    def _head(self) -> Head:
        random = self.random
        court, code = random.choices(COURTS, weights=range(len(COURTS), 0, -1))[0]
        plaintiff, defendant = ("".join(random.sample(_NAMES, 3)) + "有限公司" for _ in range(2))
        cause, year = random.choice(_CAUSES), random.randint(2016, 2026)
        amount = round(10 ** random.uniform(0, 4), 1)
        if english := random.random() < 0.1:
            title = f"Court rules on {random.choice(_ENGLISH)} and {random.choice(self.english)}"
            text = f"The court awarded RMB {amount} million in a trademark case. "
        else:
            title = f"{plaintiff}诉{defendant}{cause}纠纷案"
            text = (
                f"{court}审结一案。原告{plaintiff}诉被告{defendant}{cause}纠纷，案号为（{year}）{code}民初"
                f"{random.randint(1, 30000)}号，判决被告赔偿经济损失{amount}万元。\n"
            )
        return Head(
            title, text, tuple(find_facts(title)), tuple(find_facts(text)), words_of(title, "", "", ()),
            words_of("", "", text, ()), english,
        )  # fmt: skip

    def _article(self, number: int, of: int) -> Article:
        random, head = self.random, self.heads[int(self.random.random() * _HEADS)]
        publisher = PUBLISHERS[int(random.random() ** 2 * len(PUBLISHERS))]
        sentences, tokens, own = self.sentences, self._tokens, self.sentence
        if head.english:
            sentences, tokens, own = self._english_sentences, self._english_tokens, self.english_sentence
        texts, words = [head.text], [head.title_words, self._publishers[publisher], head.words]
        length = len(head.text)
        while length < LENGTH - 40:
            place = int(random.random() ** 1.5 * len(sentences))
            texts.append(sentences[place])
            words.append(tokens[place])
            length += len(sentences[place])
        fresh = own()
        texts.append(fresh)
        words.append(words_of("", "", fresh, ()))
        return Article(
            number=number,
            head=head,
            publisher=publisher,
            source=SOURCES[int(random.random() ** 2 * len(SOURCES))],
            body="".join(texts).strip(),
            words=" ".join(words),
            moment=self._moment(number, of),
        )

    def _moment(self, number: int, of: int) -> date | datetime | None:
        random, chance = self.random, self.random.random()
        share = number / of * (random.random() if chance < BACK_FILLED else 1)
        day = FIRST_DAY + timedelta(days=int(share * (LAST_DAY - FIRST_DAY).days))
        if chance > 0.98:
            return None
        if chance > 0.7:
            return datetime(
                day.year, day.month, day.day, random.randint(0, 13), random.randint(0, 59), tzinfo=UTC
            )
        return day


def seen_at(number: int, of: int) -> datetime:
    """When the article of this number was first read."""
    days = (LAST_DAY - FIRST_DAY).days * number / of
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 15, tzinfo=UTC) + timedelta(days=days)
