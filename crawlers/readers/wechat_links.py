"""Links to WeChat articles, as feeds and the accounts' backend give them.

Two forms lead to one article: `/s/<22 characters>`, and `/s?__biz=…&mid=…&idx=…&sn=…`, which tells whose it is.
Old feeds have `http:`, and `&amp;` where `&` is meant.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

HOST = "mp.weixin.qq.com"

_NUMBER = re.compile(r"[1-9][0-9]*")


def leads_to_wechat(url: str) -> bool:
    """True for an absolute URL on WeChat's host."""
    return urlsplit(url).hostname == HOST


def clean_link(url: str) -> str:
    """The link with `https:` and without the escaping that some feeds leave in."""
    return re.sub(r"^http:", "https:", url.strip()).replace("&amp;", "&")


def biz_of_number(number: str) -> str:
    """An account's `__biz` from its number: WeChat's `__biz` is that decimal number in base64."""
    return base64.b64encode(number.encode("ascii")).decode("ascii")


def number_of_biz(biz: str) -> str | None:
    """The account's number in its `__biz`, None for what is none."""
    try:
        number = base64.b64decode(biz, validate=True).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return None
    return number if _NUMBER.fullmatch(number) else None
