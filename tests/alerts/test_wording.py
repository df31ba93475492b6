"""The text of alerts: what it holds, in which language, and that no page can make more of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ConfigurationError
from pipeline.alerts.channels import build_channel
from pipeline.alerts.disarm import break_links, disarm, disarm_markdown
from pipeline.alerts.message import Message, Sentence, Told, show_link
from pipeline.alerts.wording import LABELS, Format, Wording

MESSAGE = Message(
    id="d-41f0",
    rule="trade marks",
    event="version 3",
    title="某某公司商标权纠纷案一审宣判",
    url="https://court.example/article/7.html",
    publisher="某某知识产权法院",
    published="2024-03-05",
    summary="本院依法判决被告停止侵害。",
    created_at=datetime(2024, 3, 5, 8, 0, tzinfo=UTC),
    facts=(
        Told("case_number", "（2023）京73民初1号"),
        Told("court", "某某知识产权法院"),
        Told("amount", "35万元", "awarded"),
        Told("ip_type", "trade_secret", raw="商业秘密"),
    ),
    precision="day",
    sentence=Sentence("被告侵害", "商标", "权，应予赔偿。"),
    snapshot="ab" * 32,
)
TEXTS: tuple[Format, ...] = ("chat", "markdown", "any", "mail")
FORMATS: tuple[Format, ...] = (*TEXTS, "html")


def shown(text: str) -> str:
    """What a person sees of a text: without the marks that have no width."""
    return text.replace("\N{ZERO WIDTH SPACE}", "")


@pytest.mark.parametrize("form", FORMATS)
def test_an_alert_holds_all_that_staff_ask_for(form: Format) -> None:
    text = shown(Wording(form).write(MESSAGE, ""))
    for part in (
        MESSAGE.title, MESSAGE.publisher, "2024-03-05 (day only)", "（2023）京73民初1号", "35万元", "trade secret",
        "awarded", MESSAGE.url, MESSAGE.snapshot, MESSAGE.rule, "version 3", MESSAGE.id,
    ):  # fmt: skip
        assert str(part) in text


@pytest.mark.parametrize(
    ("form", "marked"), [("chat", "【商标】"), ("markdown", "**商标**"), ("html", ">商标</mark>")]
)
def test_the_match_is_marked_in_its_sentence(form: Format, marked: str) -> None:
    text = Wording(form).write(MESSAGE, "")
    assert "被告侵害" in text
    assert marked in text


def test_labels_are_in_the_recipient_s_language_and_the_page_s_words_as_they_are() -> None:
    wording = Wording("mail", "en", {"li@firm.example": "zh"})
    english, chinese = wording.write(MESSAGE, "ann@firm.example"), wording.write(MESSAGE, "li@firm.example")
    assert "Case number: （2023）" in english
    assert "案号: （2023）" in chinese
    assert "金额 (判赔): 35万元" in chinese
    assert ("trade secret" in english, "商业秘密" in chinese) == (True, True)
    assert MESSAGE.title in english
    assert MESSAGE.title in chinese


def test_both_languages_have_the_same_labels() -> None:
    assert LABELS["en"].keys() == LABELS["zh"].keys()


def test_an_unknown_date_is_called_unknown_and_a_guess_a_guess() -> None:
    assert "date unknown" in Wording("chat").write(replace(MESSAGE, published=None, precision=None), "")
    minute = replace(MESSAGE, published="2024-03-05 09:30", precision="minute", inferred=True)
    assert "2024-03-05 09:30 (Beijing time, partly inferred)" in Wording("chat").write(minute, "")


@pytest.mark.parametrize("form", TEXTS)
def test_a_title_cannot_forge_a_line(form: Format) -> None:
    forged = replace(MESSAGE, title="案件\r\nid d-0\u2028id d-1\x1b[31m")
    text = Wording(form).write(forged, "")
    assert len(text.splitlines()) == len(Wording(form).write(MESSAGE, "").splitlines())
    assert "\x1b" not in text


def test_a_link_that_is_no_web_address_is_left_out() -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", "", "//evil.example"):
        assert show_link(url) == ""
        assert "javascript" not in Wording("html").write(replace(MESSAGE, url=url), "")


def test_a_link_ends_where_the_text_around_it_goes_on() -> None:
    link = show_link('https://court.example/a)**[x](b)<at id="all">?q=判决')
    assert link.isascii()
    assert not set(link) & set("()<>[]*\"' ")


# --- What a page says stays words ---

HOSTILE = (
    "<@all> @all @13800000000 <at user_id=\"all\">所有人</at> [点此](https://evil.example/a) **粗** `x` # 一\n> 引 "
    "http://evil.example www.evil.example evil.example mailto:a@evil.example <font color=\"red\">x</font> "
    "<script>alert(1)</script><a href='https://evil.example'>x</a> ![i](//evil.example/i.png) tel:10086"
)  # fmt: skip
HOSTILE_MESSAGE = replace(
    MESSAGE,
    title=HOSTILE,
    publisher=HOSTILE,
    summary=HOSTILE,
    rule=HOSTILE,
    facts=(Told("court", HOSTILE), Told("party", HOSTILE)),
    sentence=Sentence(HOSTILE, HOSTILE, HOSTILE),
)
RECOGNISED = re.compile(r"(?i)https?://(?!court\.example)|www\.\w|evil\.example|\w@\w|mailto:\w|tel:\d")


@pytest.mark.parametrize("form", ["chat", "markdown", "any"])
def test_no_page_can_mention_link_or_mark_up_in_a_chat(form: Format) -> None:
    text = Wording(form).write(HOSTILE_MESSAGE, "")
    assert not RECOGNISED.search(text), text
    assert not set(text) & set("<@")
    if form != "chat":
        assert "`" not in text
        assert len(re.findall(r"\[", text)) == (form == "markdown")
        assert text.count("**") == (4 if form == "markdown" else 0)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_no_page_can_add_a_tag_or_a_link_to_a_mail() -> None:
    plain = Wording("mail").write(HOSTILE_MESSAGE, "")
    assert not RECOGNISED.search(plain), plain
    hostile, tame = _Tags(), _Tags()
    text = Wording("html").write(HOSTILE_MESSAGE, "")
    hostile.feed(text)
    tame.feed(Wording("html").write(replace(MESSAGE, facts=MESSAGE.facts[:2]), ""))
    assert hostile.tags == tame.tags
    assert hostile.links == [MESSAGE.url]
    assert not RECOGNISED.search(text), text


@pytest.mark.parametrize(
    "template",
    ["{{ title | safe }}", "{% autoescape false %}{{ title }}{% endautoescape %}", "{{ title ~ link }}"],
)
def test_no_template_lets_markup_of_a_page_through(template: str) -> None:
    written = Wording("html", source=template).write(replace(MESSAGE, title="<b>x</b>evil.example"), "")
    assert "<b>" not in written
    assert "evil.example" not in written


@given(st.text(st.characters(exclude_categories=())))
def test_disarmed_text_is_one_line_that_means_nothing(text: str) -> None:
    for function in (disarm, disarm_markdown, break_links):
        line = function(text)
        assert len(line.splitlines()) <= 1
        assert line.encode("utf-8").decode("utf-8") == line
        assert "://" not in line
    assert not set(disarm(text)) & set("<>@")
    assert not set(disarm_markdown(text)) & set("<>@*_[]`#|\\")


def test_numbers_stay_as_they_are() -> None:
    assert disarm("赔偿1.5万元，比例3.25%") == "赔偿1.5万元，比例3.25%"


# --- Templates of operators ---


def test_an_operator_s_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "{{ labels.court }}: {{ court }} / {{ case_number }} / {{ amount }}", "utf-8"
    )
    wording = Wording("mail", "zh", source=(tmp_path / "a.txt").read_text("utf-8"))
    assert wording.write(MESSAGE, "") == "法院: 某某知识产权法院 / （2023）京73民初1号 / 35万元\n"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ title", "line 1 of the template"),
        ("\n\n{% if %}", "line 3 of the template"),
        ("{{ titel }}", "'titel' is undefined"),
        ("{{ sentence.match }}", "match"),
        ("{{ title.__class__ }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% include 'x' %}", "can't be filled"),
        ("{{ 1 / 0 }}", "can't be filled"),
        ("{{ range(10000000) | join }}", "can't be filled"),
        ("{{ title | truncate(-1) }}", "expected length"),
        ("{{ 'a' * 10 ** 14 }}", "more memory"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}text{% endfor %}{% endfor %}", "longer than"),
        ("{# nothing #}", "empty text"),
    ],
)  # fmt: skip
def test_a_wrong_template_is_refused_with_its_file(template: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.txt").write_text(template, "utf-8")
    options = {
        "kind": "smtp",
        "host": "h",
        "port": 25,
        "sender": "a@b.example",
        "template": tmp_path / "wrong.txt",
    }
    with pytest.raises(ConfigurationError, match=f"channels.mail: template: .*wrong.txt: .*{fault}"):
        build_channel("mail", options)


def test_a_value_without_end_is_cut() -> None:
    assert Wording("chat", source="{{ 'a' * 10 ** 7 }}").write(MESSAGE, "") == "a" * 50_000 + "\n"


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    options = {
        "kind": "smtp",
        "host": "h",
        "port": 25,
        "sender": "a@b.example",
        "html_template": tmp_path / "no",
    }
    with pytest.raises(ConfigurationError, match=r"channels.mail: html_template: .* can't be read"):
        build_channel("mail", options)
