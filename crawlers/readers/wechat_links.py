"""Links to WeChat articles, as feeds and the accounts' backend give them.

Two forms lead to one article: `/s/<22 characters>`, and `/s?__biz=…&mid=…&idx=…&sn=…`, which tells whose it is.
Old feeds have `http:`, and `&amp;` where `&` is meant.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, urlsplit

HOST = "mp.weixin.qq.com"

_BIZ = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_NUMBER = re.compile(r"[1-9][0-9]*")


def leads_to_wechat(url: str) -> bool:
    """True for an absolute URL on WeChat's host."""
    return urlsplit(url).hostname == HOST


def clean_link(url: str) -> str:
    """The link with `https:` and without the escaping that some feeds leave in."""
    return re.sub(r"^http:", "https:", url.strip()).replace("&amp;", "&")


def identity_in(url: str) -> str | None:
    """`wechat:<biz>/<mid>/<idx>` of a long link, None for a short one, which hides them."""
    parts = urlsplit(url)
    if parts.hostname != HOST or parts.path.rstrip("/") != "/s":
        return None
    query = parse_qs(parts.query)
    return identity_of(
        *(query.get(key, [""])[0].replace(" ", "+") for key in ("__biz", "mid", "idx")),
    )


def identity_of(biz: str, mid: str, idx: str) -> str | None:
    """The identity that the article's own page states, from its three parts; None where one is malformed."""
    if _BIZ.fullmatch(biz) and _NUMBER.fullmatch(mid) and _NUMBER.fullmatch(idx):
        return f"wechat:{biz}/{mid}/{idx}"
    return None


def biz_of_number(number: str) -> str:
    """An account's `__biz` from its number: WeChat's `__biz` is that decimal number in base64."""
    return base64.b64encode(number.encode("ascii")).decode("ascii")
