"""Text, names and identity: what makes two values the same thing, decided from raw values only."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import TYPE_CHECKING, TypeVar, cast

from pipeline.normalize.identity import are_two_articles, identify_url, shorten_key
from pipeline.normalize.text import fold, fold_in_place, make_storable, title_key
from pipeline.record import Context, Record

if TYPE_CHECKING:
    from crawlers.notice import Notice

__all__ = ["fold", "fold_in_place", "identify_url", "make_storable", "normalize", "title_key"]

_Value = TypeVar("_Value")
_SPACES = re.compile(r"\s+")


def normalize(notice: Notice, context: Context) -> Record:
    """The first step: identity, title and publisher of a notice.

    Raises ValueError for a notice without a title (its reader should have refused the page).
    """
    notice = _make_storable_throughout(notice)
    title = _SPACES.sub(" ", notice.title).strip()
    addresses = _keys(notice)
    return Record(
        notice=notice,
        context=context,
        identity=addresses[0],
        addresses=addresses,
        title=title,
        publisher=(notice.publisher or "").strip() or context.publisher_zh,
        body=notice.body,
        content_sha256=hashlib.sha256(f"{title}\n{notice.body}".encode()).hexdigest(),
    )


def _keys(notice: Notice) -> tuple[str, ...]:
    """Every key under which the article may be met again, its identity first: an id goes before a link.

    What the list said of another article of the same site is left out: its link was redirected to this one.
    """
    stated = [notice.identity, identify_url(notice.url)]
    if notice.entry:
        stated += [notice.entry.identity, identify_url(notice.entry.url)]
    keys = sorted((shorten_key(key) for key in stated if key), key=_is_link)
    return tuple(dict.fromkeys(key for key in keys if not are_two_articles(keys[0], key)))


def _is_link(key: str) -> bool:
    return key.startswith(("url:", "wechat-short:"))


def _make_storable_throughout(value: _Value) -> _Value:
    """A notice, or a part of one, with every text storable; itself when there is nothing to change."""
    changed: object = value
    if isinstance(value, str):
        changed = make_storable(value)
    elif isinstance(value, tuple):
        changed = tuple(_make_storable_throughout(part) for part in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        storable = {name: _make_storable_throughout(part) for name, part in parts.items()}
        changed = dataclasses.replace(value, **storable) if storable != parts else value
    return cast(_Value, changed)
