"""Text, names and identity: what makes two values the same thing, decided from raw values only.

URL forms are those that the sites themselves use (see each rule). A rule here must give the id that the
site's reader states, so that a link in a list and the page it leads to are one item.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from w3lib.url import canonicalize_url

from pipeline.record import Context, Record

if TYPE_CHECKING:
    from crawlers.notice import Notice

_Value = TypeVar("_Value")

_COURT = r"/(?:[a-z]+[/-])?xiangqing[/-](\d+)\.html$"
_HANWEB = r"/art/\d{4}/\d{1,2}/\d{1,2}/art_\d+_(\d+)\.html?$"
_TRS = r"/t\d{8}_(\d+)(?:\.s?html?|_ext\.json)$"
_CHINACOURT = r"/article/detail/\d{4}/\d{2}/id/(\d+)\.shtml$"
# Sites with ids of their own: the key's beginning, the host and its twins, the path that shows the id.
_SITES = {
    host: (key, re.compile(path, re.IGNORECASE))
    for key, hosts, path in (
        ("court.gov.cn", ("www.court.gov.cn", "court.gov.cn"), _COURT),
        ("spp", ("www.spp.gov.cn", "spp.gov.cn"), r"/t\d{8}_(\d+)\.s?html?$"),
        ("cnipa", ("www.cnipa.gov.cn", "cnipa.gov.cn"), _HANWEB),
        (
            "chinacourt",
            ("www.chinacourt.cn", "chinacourt.cn", "www.chinacourt.org", "chinacourt.org"),
            _CHINACOURT,
        ),
        ("gov.cn", ("www.gov.cn", "gov.cn"), r"/content_(\d+)\.html?$"),
        (
            "ipc.court.gov.cn",
            ("ipc.court.gov.cn", "enipc.court.gov.cn"),
            r"^/zh-cn/news/view-(\d+)\.html$",
        ),
        (
            "samr",
            ("www.samr.gov.cn", "samr.gov.cn"),
            r"/art/\d{4}/(?:\d{1,2}/)*art_([0-9a-f]{32})\.html$",
        ),
        ("sipa", ("sipa.sh.gov.cn",), r"^/[\w-]+/\d{8}/([0-9a-f]{32})\.html$"),
        ("zscqj.beijing", ("zscqj.beijing.gov.cn",), r"^/zscqj/(?:[\w-]+/)+(\d+)/index\.html$"),
        ("ipr.mofcom", ("ipr.mofcom.gov.cn",), r"^/article/(?:\w+/)+\d{6}/(\d+)\.html$"),
        ("cninfo", ("static.cninfo.com.cn",), r"/finalpage/\d{4}-\d{2}-\d{2}/(\d+)\.pdf$"),
        (
            "sse",
            ("static.sse.com.cn", "www.sse.com.cn"),
            r"/disclosure/listedinfo/(?:[\w-]+/)+([\w.-]+\.pdf)$",
        ),
    )
    for host in hosts
}
# Systems that run many sites, each of which counts for itself: the host is part of the key.
_SYSTEMS = (
    ("hanweb", re.compile(_HANWEB)),
    ("chinacourt", re.compile(_CHINACOURT)),
    ("trs", re.compile(_TRS)),
)
_NEWS_ID_HOSTS = {
    "www.iprchn.com": "iprchn",
    "iprchn.com": "iprchn",
    "www.cnipa-ipdrc.org.cn": "ipdrc",
    "cnipa-ipdrc.org.cn": "ipdrc",
}
_NEWS_ID_PATH = re.compile(r"^/(?:cipnews/)?(?:news_content|index_newscontent)\.aspx$", re.IGNORECASE)
_WECHAT_SHORT = re.compile(r"^/s/([A-Za-z0-9_-]{10,})$")
# Keys are unique in the database; both databases index keys of this length.
_LONGEST_KEY = 500
_SPACES = re.compile(r"\s+")
# Most Chinese texts have no other characters that NFKC changes, and it passes over a text that has none quickly.
_WIDE_MARKS = (*((chr(ord(mark) + 0xFEE0), mark) for mark in ",:;?!()"), ("\u3000", " "))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def identify_url(url: str) -> str:
    """The key of the article that a URL leads to, whatever path, host twin, port or tracking it came with.

    - sites with an id of their own, by that id: `court.gov.cn:436481`, `spp:730692`, `cnipa:207729` …
    - systems that run many sites (Hanweb, TRS, courts on chinacourt), by host and id: `trs:www.ncac.gov.cn:51`
    - mp.weixin.qq.com: `wechat:<biz>/<mid>/<idx>` for the long form; the short form hides them and stays
      `wechat-short:<22 characters>` until its page has stated them
    - anything else: `url:` and the canonical URL without scheme, default port and fragment (a fragment that
      is a path, `#/news/1`, stays: it is the page)

    Every text has a key, so that one broken link in a list costs no other.
    """
    url = make_storable(url.replace("&amp;", "&").strip())
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
        key = _identify_by_site(parts, host) or _canonical_key(parts, host)
    except ValueError:  # a port or host that is none: the link leads nowhere, and only to itself
        key = f"url:{url}"
    return _shorten(key)


def _identify_by_site(parts: SplitResult, host: str) -> str | None:
    if host == "mp.weixin.qq.com":
        if match := _WECHAT_SHORT.search(parts.path):
            return f"wechat-short:{match[1]}"
        query = {name: value.replace(" ", "+") for name, value in parse_qsl(parts.query)}
        if parts.path.rstrip("/") == "/s" and all(query.get(name) for name in ("__biz", "mid", "idx")):
            return f"wechat:{query['__biz']}/{query['mid']}/{query['idx']}"
    elif host in _SITES:
        key, path = _SITES[host]
        if match := path.search(parts.path):
            return f"{key}:{match[1]}"
    elif host in _NEWS_ID_HOSTS and _NEWS_ID_PATH.match(parts.path):
        number = {name.lower(): value for name, value in parse_qsl(parts.query)}.get("newsid", "")
        if number.isdecimal():
            return f"{_NEWS_ID_HOSTS[host]}:{number}"
    elif host:
        for key, path in _SYSTEMS:
            if match := path.search(parts.path):
                return f"{key}:{host}:{match[1]}"
    return None


def _canonical_key(parts: SplitResult, host: str) -> str:
    canonical = urlsplit(canonicalize_url(parts.geturl()))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query_part = f"?{canonical.query}" if canonical.query else ""
    route = f"#{parts.fragment}" if parts.fragment.startswith(("/", "!")) else ""
    return f"url:{host}{port}{re.sub('/{2,}', '/', canonical.path) or '/'}{query_part}{route}"


def _shorten(key: str) -> str:
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:300]}#{hashlib.sha256(key.encode()).hexdigest()}"


def make_storable(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate, which JSON can write and databases refuse.

    As many characters as before, so that spans stay true. PostgreSQL takes no NUL in text:
    https://www.postgresql.org/docs/current/datatype-character.html
    """
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fold(text: str) -> str:
    """The form in which texts are compared and searched: NFKC (full-width to half-width), lower case, one
    space between words. Never stored in place of the text.
    """
    for printed, form in _WIDE_MARKS:
        text = text.replace(printed, form)
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Folding case can leave marks in another order than NFKC has them.
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", folded)).strip()


def title_key(title: str) -> str:
    """A title without spaces, punctuation and symbols, folded: equal for the same headline set differently."""
    return "".join(character for character in fold(title) if character.isalnum())


def normalize(notice: Notice, context: Context) -> Record:
    """The first step: identity, title and publisher of a notice.

    Raises ValueError for a notice without a title (its reader should have refused the page).
    """
    notice = _make_storable_throughout(notice)
    title = _SPACES.sub(" ", notice.title).strip()
    keys = [notice.identity, notice.entry.identity if notice.entry else None]
    keys += [identify_url(notice.url), identify_url(notice.entry.url) if notice.entry else None]
    addresses = tuple(dict.fromkeys(_shorten(key) for key in keys if key))
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
