"""The text of an alert: a template, filled in the recipient's language with what a page says, made harmless.

Templates are Jinja2's, in its sandbox: https://jinja.palletsprojects.com/en/stable/sandbox/. Whatever a template puts
out passes one function for its format, so that no template of an operator can let markup of a page through; `safe`
and `autoescape` change nothing. Labels are in the recipient's language, what pages say is not translated.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.alerts.disarm import break_links, disarm, disarm_markdown
from pipeline.alerts.message import Entry, Message, Sentence, Told, show_link
from pipeline.alerts.parts import shorten

Format = Literal["chat", "markdown", "any", "mail", "html"]
"""`any` is text for services of which nobody knows what they make links, mentions or markup of."""
Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LABELS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("labels.toml").read_text(encoding="utf-8")
)
_FILES: dict[Format, str] = {
    "chat": "text.txt",
    "markdown": "markdown.txt",
    "any": "text.txt",
    "mail": "text.txt",
    "html": "mail.html",
}
# Several alerts in one message are worded so, whatever template the operator has for one.
_DIGESTS: dict[Format, str] = {
    "chat": "digest.txt",
    "markdown": "digest_markdown.txt",
    "any": "digest.txt",
    "mail": "digest.txt",
    "html": "digest.html",
}
_DISARM: dict[Format, Callable[[str], str]] = {
    "chat": disarm,
    "markdown": disarm_markdown,
    "any": disarm_markdown,
    "mail": break_links,
    "html": lambda text: html.escape(break_links(text)),
}
# In Chinese alerts these are told with the words of the text, not with our English keys.
_KEYS = ("ip_type", "outcome")
_LONGEST_TEMPLATE = 100_000
# Characters of one value and of a whole text; no channel sends so much, and a template may multiply what it gets.
_LONGEST_VALUE = 50_000
_LONGEST_TEXT = 5_000_000
# Of a title, a publisher or a fact: a page must not push the link and the id out of a robot's ten parts.
_LONGEST_LINE = 1000
# What a template that doesn't fit what alerts hold raises when it is filled.
_FAULTS = (
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class _Link(str):
    """An address that was checked: the only text that may be recognised as a link."""

    __slots__ = ()


@dataclass(frozen=True)
class Wording:
    """How a channel words its alerts: in which format and language, after which template.

    `languages` are those of single recipients; all others get `language`. `source` is the operator's template, None
    for the built-in one. Raises ValueError for a template that can't be filled, naming the line where it can.
    """

    format: Format
    language: Language = "en"
    languages: Mapping[str, Language] = field(default_factory=dict)
    source: str | None = None

    def __post_init__(self) -> None:
        if self.source is None:
            return
        if len(self.source) > _LONGEST_TEMPLATE:
            raise ValueError(f"the template is longer than {_LONGEST_TEMPLATE} characters")
        bare = replace(
            EXAMPLE, url="", published=None, precision=None, sentence=None, snapshot=None, facts=()
        )
        for message in (EXAMPLE, bare):
            try:
                written = self.write(message, "")
            except TemplateSyntaxError as error:
                raise ValueError(f"line {error.lineno} of the template: {error.message}") from None
            except _FAULTS as error:
                reason = str(error) or "it needs more memory than there is"
                raise ValueError(f"the template can't be filled: {reason}") from None
        if not written.strip():
            raise ValueError("the template gives an empty text")

    def write(self, message: Message, recipient: str) -> str:
        """The text for this recipient. Lines that are empty are left out, but in HTML."""
        language = self.languages.get(recipient, self.language)
        several = message.entries is not None
        template = _compile(self.format, None if several else self.source, several)
        written = ""
        for piece in template.generate(_fields(message, language)):
            written += piece
            if len(written) > _LONGEST_TEXT:
                raise ValueError(f"its text is longer than {_LONGEST_TEXT} characters")
        if self.format == "html":
            return written
        return "\n".join(line for line in written.splitlines() if line.strip()) + "\n"


@cache
def _compile(form: Format, source: str | None, several: bool) -> Template:
    if source is None:
        name = _DIGESTS[form] if several else _FILES[form]
        source = (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every value is disarmed, and escaped, by `finalize`, which no template can switch off as it can this.
        autoescape=False,
        finalize=_finalizer(form),
    )
    return environment.from_string(source)


def _finalizer(form: Format) -> Callable[[object], object]:
    disarm_text = _DISARM[form]

    def finalize(value: object) -> object:
        if isinstance(value, StrictUndefined):
            return value  # it raises, with its name, when it is put out
        if isinstance(value, _Link):
            return html.escape(value) if form == "html" else str(value)
        text = str(value)[:_LONGEST_VALUE]
        # A sentence is put together of three pieces: the spaces between them stay.
        head, tail = (" " if end[:1].isspace() else "" for end in (text[:1], text[-1:]))
        return head + disarm_text(text) + tail if text.strip() else ""

    return finalize


def _fields(message: Message, language: Language) -> dict[str, Any]:
    labels = LABELS[language]
    facts = [
        {
            "kind": told.kind,
            "label": _label(told, labels),
            "text": shorten(_read(told, language), _LONGEST_LINE),
        }
        for told in message.facts
    ]
    first = {fact["kind"]: fact["text"] for fact in reversed(facts)}
    return {
        "id": message.id,
        "rule": message.rule,
        "event": _name_event(message.event, labels),
        "title": shorten(message.title, _LONGEST_LINE),
        "publisher": shorten(message.publisher, _LONGEST_LINE),
        "published": _date(message, labels),
        "precision": message.precision or "",
        "summary": message.summary,
        "lines": message.lines,
        "sentence": _show_sentence(message.sentence),
        "facts": facts,
        **{kind: first.get(kind, "") for kind in ("court", "case_number", "amount", "ip_type")},
        "link": _Link(show_link(message.url)),
        "snapshot": message.snapshot or "",
        "created_at": message.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "language": language,
        "labels": labels,
        "groups": [
            {"rule": rule, "entries": [_show_entry(entry, labels) for entry in entries]}
            for rule, entries in groupby(message.entries or (), key=attrgetter("rule"))
        ],
        "notes": [labels[kind].format(number=number) for kind, number in message.notes.items()],
    }


def _show_entry(entry: Entry, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": entry.id,
        "event": _name_event(entry.event, labels),
        "title": entry.title,
        "publisher": entry.publisher,
        "published": _date(entry, labels),
        "sentence": _show_sentence(entry.sentence),
        "link": _Link(show_link(entry.url)),
    }


def _show_sentence(sentence: Sentence | None) -> dict[str, str] | None:
    if sentence is None:
        return None
    return {"before": sentence.before, "match": sentence.match, "after": sentence.after}


def _label(told: Told, labels: Mapping[str, str]) -> str:
    label = labels.get(told.kind, told.kind.replace("_", " "))
    return f"{label} ({labels.get(told.role, told.role.replace('_', ' '))})" if told.role else label


def _read(told: Told, language: Language) -> str:
    if told.kind in _KEYS:
        return told.raw if language == "zh" and told.raw else told.text.replace("_", " ")
    return told.text


def _name_event(event: str, labels: Mapping[str, str]) -> str:
    if number := re.fullmatch(r"version (\d+)", event):
        return labels["version"].format(number=number[1])
    return labels.get(event, event)


def _date(message: Message | Entry, labels: Mapping[str, str]) -> str:
    if message.published is None:
        return labels["date_unknown"]
    notes = (
        [labels["day_only" if message.precision == "day" else "beijing_time"]] if message.precision else []
    )
    if message.inferred:
        notes.append(labels["inferred"])
    return message.published + (f" ({', '.join(notes)})" if notes else "")


EXAMPLE = Message(
    id="00000000000000000000000000000000",
    rule="test",
    event="test",
    title="iprwatch 测试：某某公司诉某某公司侵害商标权纠纷案一审宣判",
    url="https://example.com/article/1.html",
    publisher="iprwatch",
    published="2026-01-05 09:30",
    summary="This is a test of the channel. 这是对通知渠道的测试。",
    created_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
    facts=(
        Told("case_number", "（2025）京73民初1号"),
        Told("court", "北京知识产权法院"),
        Told("amount", "35万元", "awarded"),
        Told("ip_type", "trademark", raw="商标"),
    ),
    precision="minute",
    sentence=Sentence("法院认定被告侵害原告的", "商标", "专用权，判令赔偿35万元。"),
    snapshot="0" * 64,
)
"""What `iprwatch alerts test` sends, and what a template is tried with; everything in it is invented."""
