"""What an alert says, what became of it, and its text.

Titles, publishers and summaries come from pages: whatever they contain, an alert keeps its shape.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

_BRIEF_FACTS = 6
_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Message:
    """One alert, the same for every recipient.

    `id` is the idempotency id: a message that is sent again after a crash carries the same one.
    `published` is the date as it is shown to people, None when the source printed none.
    `facts` are lines of text (`case number (2023)…`). `change` is what happened to an item that is not new: what
    changed in it, how it was withdrawn. `created_at` is zone-aware: raises ValueError if not.
    """

    id: str
    rule: str
    event: str
    title: str
    url: str
    publisher: str
    published: str | None
    summary: str
    created_at: datetime
    facts: tuple[str, ...] = ()
    change: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a message needs an id")
        if self.created_at.tzinfo is None:
            raise ValueError("created_at needs a time zone")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one attempt.

    `ok`: the channel took the message. `retry`: another attempt may succeed; False with `ok` False means
    that this message will never be taken by this recipient. `retry_after`: seconds, as the server asked.
    `detail` is one line for the ledger and holds no secrets.
    """

    ok: bool
    retry: bool
    detail: str
    retry_after: float | None = None


def flatten(text: str) -> str:
    """Make one line of text from a page: no newlines, control characters, turned text, lone surrogates."""
    line = "".join(_SUBSTITUTES.get(unicodedata.category(character), character) for character in text)
    return " ".join(_BIDI_CONTROLS.sub("", line).split())


_SUBSTITUTES = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\N{REPLACEMENT CHARACTER}"}


def render_brief(message: Message) -> str:
    """An alert for a screen: rule and title, what changed, publisher, date and facts, the link and the id."""
    facts = ", ".join(flatten(fact) for fact in message.facts[:_BRIEF_FACTS])
    about = [flatten(message.publisher), flatten(message.published or "date unknown"), facts]
    lines = [
        f"[{flatten(message.rule)}, {flatten(message.event)}] {flatten(message.title)}",
        flatten(message.change),
        " | ".join(part for part in about if part),
        f"{_show_link(message)} (id {flatten(message.id)})",
    ]
    return "\n    ".join(line for line in lines if line) + "\n"


def render_text(message: Message) -> str:
    """The text of an alert: title, what changed, publisher and date, summary, facts, link, origin. One field a line."""
    lines = [
        flatten(message.title),
        flatten(message.change),
        f"{flatten(message.publisher)} | {flatten(message.published or 'date unknown')}",
        flatten(message.summary),
        *(f"- {flatten(fact)}" for fact in message.facts),
        _show_link(message),
        f"{flatten(message.rule)} | {flatten(message.event)} | {message.created_at.isoformat()}",
        f"id {flatten(message.id)}",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _show_link(message: Message) -> str:
    link = flatten(message.url)
    if not link:
        return ""
    if not re.match(r"https?://", link, re.IGNORECASE):
        return "(link left out: it is neither http nor https)"
    return link
