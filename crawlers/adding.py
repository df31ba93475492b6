"""Adding a source: from a page that a person found to an entry of their own sources file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from crawlers.notice import ListPage, Notice
from crawlers.page import Page
from crawlers.readers import read, reader_for
from crawlers.source import Source
from errors import IprwatchError, first_fault

_ALBUM = re.compile(rb"appmsgalbum\?[^\"'\s]{0,200}?album_id=(\d{5,25})")
ALBUM_URL = (
    "https://mp.weixin.qq.com/mp/appmsgalbum?action=getalbum&__biz={biz}&album_id={album}&count=20&f=json"
)


class AddingError(IprwatchError):
    """A page is no list that could be watched, or its entry can't be written. Says what to do instead."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a page offers: the reader and the list it sees, or the account that published an article."""

    reader: str
    listing: ListPage | None
    account: str | None = None
    account_id: str | None = None
    album_url: str | None = None


def look_at(page: Page) -> Look:
    """Say which reader takes the page and what it sees.

    An article of a WeChat account leads to the account, and to the album it belongs to. Raises AddingError
    for any other article, and LayoutChanged, Blocked or Gone as the readers do.
    """
    name, reader = reader_for(page)
    kind = reader.kind_of(page)
    if kind == "list":
        listing = reader.read_list(page)
        if not listing.entries:
            raise AddingError(f"{page.url} lists nothing now, so there is no proof that it can be read.")
        return Look(name, listing)
    if kind == "article" and name == "wechat":
        notice: Notice = reader.read_article(page)
        album = _ALBUM.search(page.body)
        url = (
            ALBUM_URL.format(biz=notice.account_id, album=album[1].decode("ascii"))
            if album and notice.account_id
            else None
        )
        return Look("album", None, notice.publisher, notice.account_id, url)
    if kind == "account":
        accounts = read(page)
        assert isinstance(accounts, tuple)
        return Look("album", None, accounts[0].name, accounts[0].account_id)
    raise AddingError(
        f"{page.url} is an article, not a list: give the page that lists such articles, "
        "or put the article itself into the inbox with `iprwatch add`."
    )


def make_entry(
    look: Look, url: str, names: Mapping[str, str | None], crontab: str, *, live: bool
) -> dict[str, object]:
    """The table of the new source, checked as it would be on loading.

    `names` holds key, name_zh, name_en, publisher_zh and publisher_en. `live` says that the page was fetched
    just now, which proves that it can be read. Raises AddingError naming what is
    missing or wrong.
    """
    if missing := [name for name, value in names.items() if not value]:
        options = " ".join("--" + name.replace("_", "-") for name in missing)
        raise AddingError(f"The entry still needs: {options}.")
    address = url if look.listing is not None else look.album_url
    if address is None:
        raise AddingError(
            f"The article of {look.account!r} ({look.account_id}) belongs to no album that could be followed; "
            "follow the account through a feed (wewe-rss, we-mp-rss, RSSHub), or put links into the inbox."
        )
    entries = len(look.listing.entries) if look.listing is not None else 1
    table: dict[str, object] = {
        "reader": look.reader,
        "url": address,
        **{name: value for name, value in names.items() if name != "key"},
        "topics": [],
        "crontab": crontab,
        "least": max(1, min(5, entries // 2)),
        "proven": live,
    }
    try:
        Source.model_validate({"key": names["key"], **table})
    except ValidationError as error:
        raise AddingError(f"The entry can't be used: {first_fault(error)}.") from None
    return table


def append_entry(file: Path, key: str, table: Mapping[str, object]) -> None:
    """Append a source to a TOML file, which is made when it isn't there; all or nothing.

    Raises AddingError when the file holds the key already, isn't TOML or can't be written.
    """
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if key in tomllib.loads(before):
            raise AddingError(f"{file}: the source {key!r} exists already; choose another --key.")
        lines = [f"[{key}]", *(f"{name} = {_toml_value(value)}" for name, value in table.items())]
        after = (before.rstrip("\n") + "\n\n" if before.strip() else "") + "\n".join(lines) + "\n"
        tomllib.loads(after)
        partial = file.with_name(file.name + ".part")
        partial.write_text(after, encoding="utf-8")
        partial.replace(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AddingError(f"{file}: is not valid TOML: {error}.") from None
    except OSError as error:
        raise AddingError(f"{file}: can't be written ({error.strerror}).") from None


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
