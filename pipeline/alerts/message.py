"""What an alert says, what became of it, and its text.

Titles, publishers and summaries come from pages: whatever they contain, an alert keeps its shape.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from w3lib.url import safe_url_string

_BRIEF_FACTS = 6
_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that an alert says beside title and summary: of a fact of the text, or of the event.

    `kind` is a kind of fact (`court`, `amount` …), or `changed`, `withdrawal`, `inserted`, `also_reported`,
    `joined_because`. `text` is how it is read out in English, `role` what an amount is. `raw` is the words of the
    text, None where there are none.
    """

    kind: str
    text: str
    role: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence in which a rule's words were found: what stands before them, they themselves, what follows."""

    before: str
    match: str
    after: str

    def shortened(self) -> Sentence:
        """The same match with less around it, for lists: 40 characters before, 60 of the match, 60 after."""
        before, match, after = self.before, self.match, self.after
        return Sentence(
            before if len(before) <= 40 else "…" + before[-40:],
            match if len(match) <= 60 else match[:60] + "…",
            after if len(after) <= 60 else after[:60] + "…",
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert in a message that carries several; the fields are those of a message."""

    id: str
    rule: str
    event: str
    title: str
    publisher: str
    published: str | None
    url: str
    precision: str | None = None
    inferred: bool = False
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One alert, the same for every recipient.

    `id` is the idempotency id: a message that is sent again after a crash carries the same one.
    `published` is the date as it is shown to people, to the minute where a time was printed (`precision` `minute` or
    `second`), in Beijing time; None when the source printed none. `inferred`: a part of it was not printed.
    `lines` are what the monitor says of itself, below the summary. `snapshot` is the SHA-256 of the stored copy. `part`
    says which part of a long text is to be sent, from 1; a channel that sends an alert whole need not look at it.
    `entries` are the alerts of a message that carries several, by rule; None where it is one alert. `notes` counts what
    such a message leaves out: `merged` into stories, `filtered` by topic, `unlisted`. `created_at` is zone-aware:
    raises ValueError if not.
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
    facts: tuple[Told, ...] = ()
    lines: tuple[str, ...] = ()
    precision: str | None = None
    inferred: bool = False
    sentence: Sentence | None = None
    snapshot: str | None = None
    part: int = 1
    entries: tuple[Entry, ...] | None = None
    notes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a message needs an id")
        if self.created_at.tzinfo is None:
            raise ValueError("created_at needs a time zone")

    def as_json(self) -> dict[str, Any]:
        """All that it says, for a program; the time in ISO form."""
        fields = asdict(self) | {"created_at": self.created_at.isoformat()}
        del fields["part"]
        if self.entries is None:
            del fields["entries"], fields["notes"]
        return fields


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one attempt.

    `ok`: the channel took the message, or its part. `retry`: another attempt may succeed; False with `ok` False means
    that this message will never be taken by this recipient. `retry_after`: seconds, as the server asked.
    `detail` is one line for the ledger and holds no secrets. `parts`: of how many parts the message consists on this
    channel. `rest`: seconds for which the whole channel must send nothing. `gone`: the recipient asks for no message
    ever again.
    """

    ok: bool
    retry: bool
    detail: str
    retry_after: float | None = None
    parts: int = 1
    rest: float | None = None
    gone: bool = False


def flatten(text: str) -> str:
    """Make one line of text from a page: no newlines, control characters, turned text, lone surrogates."""
    line = "".join(_SUBSTITUTES.get(unicodedata.category(character), character) for character in text)
    return " ".join(_BIDI_CONTROLS.sub("", line).split())


_SUBSTITUTES = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\N{REPLACEMENT CHARACTER}"}


def render_brief(message: Message) -> str:
    """An alert for a screen: rule and title, then publisher, date and facts, then the link and the id.

    One that carries several has a line and a link for each.
    """
    if message.entries is not None:
        lines = [f"[{flatten(message.event)}] {flatten(message.title)} (id {flatten(message.id)})"]
        for entry in message.entries:
            lines.append(f"    [{flatten(entry.rule)}, {flatten(entry.event)}] {flatten(entry.title)}")
            lines.append(f"        {show_link(entry.url)}")
        lines += [f"    {kind}: {number}" for kind, number in message.notes.items()]
        return "\n".join(lines) + "\n"
    facts = ", ".join(flatten(_say(told)) for told in message.facts[:_BRIEF_FACTS])
    about = [flatten(message.publisher), flatten(message.published or "date unknown"), facts]
    link = show_link(message.url)
    if message.url and not link:
        link = "(link left out: it is neither http nor https)"
    return (
        f"[{flatten(message.rule)}, {flatten(message.event)}] {flatten(message.title)}\n"
        f"    {' | '.join(part for part in about if part)}\n"
        f"    {link} (id {flatten(message.id)})\n"
    )


def _say(told: Told) -> str:
    role = f" ({told.role.replace('_', ' ')})" if told.role else ""
    return f"{told.kind.replace('_', ' ')}{role}: {told.text}"


def show_link(url: str) -> str:
    """The address as a link that ends where it should in every text; empty for one that is neither http nor https."""
    link = flatten(url)
    if not re.match(r"https?://", link, re.IGNORECASE):
        return ""
    try:
        link = safe_url_string(link)
    except (ValueError, UnicodeError):
        return ""
    return "".join(_IN_LINKS.get(character, character) for character in link)


_IN_LINKS = {character: f"%{ord(character):02X}" for character in "<>()[]{}\"'`*\\| "}
