"""Adding a source: from a page that a person found to an entry of their own sources file."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from pydantic import ValidationError

from crawlers.inbox_links import PUNCTUATION
from crawlers.notice import ListPage, Notice
from crawlers.page import Page
from crawlers.readers import read, reader_for
from crawlers.readers.wechat_links import number_of_biz
from crawlers.source import WECHAT_BACKEND, Source, check_source_url
from crawlers.wechat_session import with_token
from errors import IprwatchError, first_fault

_ALBUM_LINK = re.compile(rb"appmsgalbum\?[^\"'\s<>]{1,300}")
_ALBUM = re.compile(rb"album_id=(\d{5,25})")
_BIZ = re.compile(rb"__biz=([\w%+/=-]+)")
ALBUM_URL = (
    "https://mp.weixin.qq.com/mp/appmsgalbum?action=getalbum&__biz={biz}&album_id={album}&count=20&f=json"
)
BACKEND_URL = (
    "https://mp.weixin.qq.com/cgi-bin/appmsgpublish?sub=list&sub_action=list_ex&fakeid={biz}&begin=0&count=5&query="
    "&type=101_1&free_publish_type=1&lang=zh_CN&f=json&ajax=1&token="
)
Way = Literal["album", "backend"]


class AddingError(IprwatchError):
    """A page is no list that could be watched, or its entry can't be written. Says what to do instead."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a page offers: the list it is, or the WeChat account that published an article, and its ways.

    `reader` is the one that takes the page. `ways` are the URLs by which an account can be followed.
    """

    reader: str
    listing: ListPage | None
    account: str | None = None
    account_id: str | None = None
    ways: Mapping[Way, str] = field(default_factory=dict)

    @property
    def feed_name(self) -> str | None:
        """What wewe-rss and we-mp-rss call the account's feed, None where its id tells nothing."""
        number = number_of_biz(self.account_id or "")
        return f"MP_WXS_{number}" if number else None


def check_address(url: str) -> str:
    """The URL of a page that is to be looked at, without the punctuation of the sentence that it stood in.

    Raises AddingError for what could not be asked for.
    """
    address = url.strip().rstrip(PUNCTUATION)
    try:
        return check_source_url(address)
    except ValueError as error:
        raise AddingError(
            f"{address!r} can't be watched: {error}. Give the address as a browser shows it."
        ) from None


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
        ways = _ways(notice.account_id, _album_of(page.body, notice.account_id))
        return Look(name, None, notice.publisher, notice.account_id, ways)
    if kind == "account":
        accounts = read(page)
        assert isinstance(accounts, tuple)
        return Look(name, None, accounts[0].name, accounts[0].account_id, _ways(accounts[0].account_id, None))
    raise AddingError(
        f"{page.url} is an article, not a list: give the page that lists such articles, "
        "or put the article itself into the inbox with `iprwatch add`."
    )


def _album_of(body: bytes, biz: str | None) -> str | None:
    """The number of the first album that the page leads to, without those of other accounts that its text names."""
    for link in _ALBUM_LINK.findall(body):
        album, owner = _ALBUM.search(link), _BIZ.search(link)
        if album and (owner is None or unquote(owner[1].decode("ascii")) == biz):
            return album[1].decode("ascii")
    return None


def _ways(biz: str | None, album: str | None) -> dict[Way, str]:
    ways: dict[Way, str] = {}
    if biz and album:
        ways["album"] = ALBUM_URL.format(biz=biz, album=album)
    if biz:
        ways["backend"] = BACKEND_URL.format(biz=biz)
    return ways


def make_entry(
    look: Look, url: str, names: Mapping[str, str | None], crontab: str, *, live: bool, by: Way = "album"
) -> dict[str, object]:
    """The table of the new source, checked as it would be on loading.

    `names` holds key, name_zh, name_en, publisher_zh and publisher_en. `live` says that the page was fetched
    just now, which proves that it can be read. `by` is how a WeChat account is to be followed. The token of a session
    is left out. Raises AddingError naming what is missing or wrong.
    """
    if missing := [name for name, value in names.items() if not value]:
        options = " ".join("--" + name.replace("_", "-") for name in missing)
        raise AddingError(f"The entry still needs: {options}.")
    address, reader = url, look.reader
    if look.listing is None:
        if by not in look.ways:
            raise AddingError(
                f"The article of {look.account!r} ({look.account_id}) belongs to no album that could be followed; "
                "follow the account with your own login (--by backend) or through a feed (wewe-rss, we-mp-rss, "
                "RSSHub), or put links into the inbox."
            )
        address, reader = look.ways[by], "album" if by == "album" else WECHAT_BACKEND
    if reader == WECHAT_BACKEND:
        address = with_token(address, "")
    entries = len(look.listing.entries) if look.listing is not None else 1
    table: dict[str, object] = {
        "reader": reader,
        "url": address,
        **{name: value for name, value in names.items() if name != "key"},
        "topics": [],
        "crontab": crontab,
        "least": max(1, min(5, entries // 2)),
        "proven": live and look.listing is not None,
    }
    try:
        Source.model_validate({"key": names["key"], **table})
    except ValidationError as error:
        raise AddingError(f"The entry can't be used: {first_fault(error)}.") from None
    return table


def append_entry(file: Path, key: str, table: Mapping[str, object]) -> None:
    """Append a source to a TOML file, which is made when it isn't there; all or nothing.

    Raises AddingError when the file holds the key already or something else than sources (such as the configuration,
    which would not be read any more), isn't TOML or can't be written.
    """
    try:
        file = file.resolve()  # what a link leads to is written, not the link
        with _alone_in(file.parent):
            before = _read_writable(file)
            tables = tomllib.loads(before.removeprefix("\ufeff"))
            if key in tables:
                raise AddingError(f"{file}: the source {key!r} exists already; choose another --key.")
            for name, value in tables.items():
                if not isinstance(value, dict) or "reader" not in value:
                    raise AddingError(
                        f"{file}: {name!r} is no source; give a file of sources only, or a new one, with --to."
                    )
            end = "\r\n" if "\r\n" in before else "\n"
            lines = [f"[{key}]", *(f"{name} = {_toml_value(value)}" for name, value in table.items()), ""]
            after = (before.rstrip("\r\n") + 2 * end if before.strip() else "") + end.join(lines)
            tomllib.loads(after.removeprefix("\ufeff"))
            partial = file.with_name(file.name + ".part")
            try:
                partial.write_bytes(after.encode())
                if file.exists():
                    shutil.copymode(file, partial)
                partial.replace(file)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AddingError(f"{file}: is not valid TOML: {error}.") from None
    except OSError as error:
        raise AddingError(f"{file}: can't be written ({error.strerror}).") from None


def _read_writable(file: Path) -> str:
    """The text with its line ends; empty without a file. Raises PermissionError for one that may only be read."""
    if not file.exists():
        return ""
    with file.open("r+b") as stream:
        return stream.read().decode("utf-8")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """While one command adds to a file of the folder, others wait: else an entry could be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
