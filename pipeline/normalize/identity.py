"""Identity: which article a URL leads to. One rule a site, all in this module; readers and lists ask here.

A key is made of raw values only. Where a site has an id of its own, that is the key, whatever path, column, host twin,
port, scheme, fragment or tracking parameter it came with. Two ids of one site are two articles, also where one text is
published under both (www.gov.cn does that).

An article of WeChat has two forms of URL. The long one states whose it is (`__biz`, `mid`, `idx`); the short one,
`/s/<22 characters>`, hides that, and nothing but the page itself ties it to the long one. So a short link has a key of
its own, `wechat-short:…`, until its page has been read; then both are addresses of one item (`normalize`).

The keys are stored. Whoever changes what a rule makes of a URL writes a migration that gives stored articles their
new keys too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from w3lib.url import canonicalize_url

from pipeline.normalize.text import make_storable

# Keys are unique in the database; both databases index keys of this length.
_LONGEST_KEY = 500


@dataclass(frozen=True, slots=True)
class _Site:
    """How a site shows the id of an article: `path` matches its last group, or the parameter `query` holds it.

    `hosts` are written without `www.`; a system that runs many sites has none, and its keys name the host.
    """

    key: str
    hosts: tuple[str, ...]
    path: re.Pattern[str]
    query: str | None = None


def _site(key: str, hosts: str, path: str, query: str | None = None) -> _Site:
    return _Site(key, tuple(hosts.split()), re.compile(path, re.IGNORECASE), query)


_HANWEB = r"/art/\d{4}/\d{1,2}/\d{1,2}/art_\d+_(\d+)\.html?$"
_CHINACOURT = r"/article/detail/\d{4}/\d{2}/id/(\d+)\.shtml$"
_NEWS_ID = r"^/(?:cipnews/)?(?:news_content|index_newscontent)\.aspx$"
_SITES = (
    # One id under many channels: /fabu/xiangqing/N.html, /zixun/xiangqing/N.html, /fabu-xiangqing-N.html.
    _site("court.gov.cn", "court.gov.cn", r"/(?:[a-z]+[/-])?xiangqing[/-](\d+)\.html$"),
    # The English host shows the Chinese pages too, under the same ids.
    _site("ipc.court.gov.cn", "ipc.court.gov.cn enipc.court.gov.cn", r"^/zh-cn/news/view-(\d+)\.html$"),
    _site("chinacourt", "chinacourt.cn chinacourt.org", _CHINACOURT),
    _site("spp", "spp.gov.cn", r"/t\d{8}_(\d+)\.s?html?$"),
    # art_COLUMN_ID: the id is the same in every column.
    _site("cnipa", "cnipa.gov.cn", _HANWEB),
    _site("gov.cn", "gov.cn", r"/content_(\d+)\.html?$"),
    # Also served on other ports (1935, 8890).
    _site("samr", "samr.gov.cn", r"/art/\d{4}/(?:\d{1,2}/)*art_([0-9a-f]{32})\.html$"),
    _site("sipa", "sipa.sh.gov.cn", r"^/[\w-]+/\d{8}/([0-9a-f]{32})\.html$"),
    _site("zscqj.beijing", "zscqj.beijing.gov.cn", r"^/zscqj/(?:[\w-]+/)+(\d+)/index\.html$"),
    _site("ipr.mofcom", "ipr.mofcom.gov.cn", r"^/article/(?:\w+/)+\d{6}/(\d+)\.html$"),
    # Two pages show one newsId: /cipnews/news_content.aspx and /Index_NewsContent.aspx.
    _site("iprchn", "iprchn.com", _NEWS_ID, "newsid"),
    _site("ipdrc", "cnipa-ipdrc.org.cn", _NEWS_ID, "newsid"),
    _site("cninfo", "static.cninfo.com.cn", r"/finalpage/\d{4}-\d{2}-\d{2}/(\d+)\.pdf$"),
    _site(
        "sse", "static.sse.com.cn sse.com.cn", r"/disclosure/listedinfo/(?:[\w-]+/)+([\w.-]+\.pdf)$"
    ),
    _site("hanweb", "", _HANWEB),
    # A local court counts for itself: that its ids are those of the main site is not proven.
    _site("chinacourt", "", _CHINACOURT),
    # A page and its JSON twin.
    _site("trs", "", r"/t\d{8}_(\d+)(?:\.s?html?|_ext\.json)$"),
)  # fmt: skip
_BY_HOST = {host: site for site in _SITES for host in site.hosts}
_SYSTEMS = tuple(site for site in _SITES if not site.hosts)

_WECHAT = "mp.weixin.qq.com"
_WECHAT_SHORT = re.compile(r"^/s/([A-Za-z0-9_-]{10,})/?$")
_WECHAT_LONG = ("/s", "/mp/appmsg/show")
_OLD_NAMES = {"mid": "appmsgid", "idx": "itemidx"}
_BIZ = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_NUMBER = re.compile(r"[1-9][0-9]*")

# What says how a reader came here, or who they are, and never which article it is. `from` and the like may say which
# on other sites, and go only with the values of those who share.
_TRACKING = re.compile(
    r"(?:utm_\w+|spm|scm|gclid|dclid|gbraid|wbraid|fbclid|msclkid|yclid|igshid|twclid|ttclid|bd_vid|qhclickid"
    r"|hmsr|hmpl|hmcu|hmkw|hmci|mc_[ce]id|mkt_tok|_hsenc|_hsmi|_ga|_gl|isappinstalled|nsukey|wxshare_count"
    r"|share_?token|share_?from|share_?uid|jsessionid|phpsessid|aspsessionid\w*|xxgkhide)(?:=.*)?"
    r"|(?:from|source|src|ref)=(?:timeline|singlemessage|groupmessage|weixin|wechat|qq|weibo|rss|feed|share)",
    re.IGNORECASE,
)
_PATH_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")
_BLANKS_AT_END = re.compile(r"(?:%20|%09|%0A|%0D|\s)+$", re.IGNORECASE)
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;)+")


def identify_url(url: str) -> str:
    """The key of the article that a URL leads to; of one that is no article's, the key of that page.

    - sites with an id of their own, by that id: `court.gov.cn:436481`, `spp:730692`, `cnipa:207729` …
    - systems that run many sites (Hanweb, TRS, courts on chinacourt), by host and id: `trs:ncac.gov.cn:51`
    - mp.weixin.qq.com: `wechat:<biz>/<mid>/<idx>` for the long form, `wechat-short:<22 characters>` for the short
    - anything else: `url:` and the canonical URL without scheme, `www.`, default port, fragment and tracking
      parameters (a fragment that is a path, `#/news/1`, stays: it is the page)

    Every text has a key, so that one broken link in a list costs no other.
    """
    url = make_storable(_ESCAPED_AMPERSAND.sub("&", url.strip()))
    try:
        parts = urlsplit(url)
        key = _by_site(parts) or _canonical(parts)
    except ValueError:  # a port or host that is none: the link leads nowhere, and only to itself
        key = f"url:{url}"
    return shorten_key(key)


def site_identity(url: str, *sites: str) -> str | None:
    """The key of the article by its site's own id, or None where the URL shows none.

    `sites`, where given, are the only ones asked for, by the beginning of their keys (`cnipa`, `hanweb`).
    """
    try:
        key = _by_site(urlsplit(url))
    except ValueError:
        return None
    return None if key is None or (sites and key.partition(":")[0] not in sites) else shorten_key(key)


def wechat_identity(biz: str, mid: str, idx: str) -> str | None:
    """`wechat:<biz>/<mid>/<idx>` from its three parts as a page, link or feed states them; None where one is malformed.

    A `__biz` is a number in base64; links that lost its padding, or have it as spaces, mean the same.
    """
    biz = biz.replace(" ", "+").rstrip("=")
    biz += "=" * (-len(biz) % 4)
    if _BIZ.fullmatch(biz) and _NUMBER.fullmatch(mid) and _NUMBER.fullmatch(idx):
        return f"wechat:{biz}/{mid}/{idx}"
    return None


def are_two_articles(one: str, other: str) -> bool:
    """True for two different ids of one site: no redirect from one to the other makes them one article.

    A canonical URL or a short link is no id: two of them may well be one article.
    """
    site, _, number = one.rpartition(":")
    other_site, _, other_number = other.rpartition(":")
    return site == other_site != "" and site not in ("url", "wechat-short") and number != other_number


def shorten_key(key: str) -> str:
    """A key as long as both databases index; of a longer one the beginning and a hash."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:300]}#{hashlib.sha256(key.encode()).hexdigest()}"


def _bare_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".").removeprefix("www.")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _clean_path(path: str) -> str:
    """The path without a session, doubled slashes, and the blanks that a link in a page may end in."""
    return _BLANKS_AT_END.sub("", _SLASHES.sub("/", _PATH_SESSION.sub("", path)))


def _by_site(parts: SplitResult) -> str | None:
    parts = parts._replace(path=_clean_path(parts.path))
    host = _bare_host(parts)
    if host == _WECHAT:
        return _by_wechat(parts)
    if site := _BY_HOST.get(host):
        number = _number(site, parts)
        return f"{site.key}:{number}" if number else None
    for site in _SYSTEMS if host else ():
        if number := _number(site, parts):
            return f"{site.key}:{host}:{number}"
    return None


def _number(site: _Site, parts: SplitResult) -> str | None:
    match = site.path.search(parts.path)
    if match is None or site.query is None:
        return match and match[1]
    stated = {name.lower(): value for name, value in parse_qsl(parts.query)}.get(site.query, "")
    return stated if stated.isdecimal() else None


def _by_wechat(parts: SplitResult) -> str | None:
    if match := _WECHAT_SHORT.search(parts.path):
        return f"wechat-short:{match[1]}"
    if parts.path.rstrip("/") not in _WECHAT_LONG:
        return None
    stated = dict(parse_qsl(parts.query))
    mid, idx = (stated.get(name) or stated.get(old, "") for name, old in _OLD_NAMES.items())
    return wechat_identity(stated.get("__biz", "").rstrip("\r\n"), mid, idx)


def _canonical(parts: SplitResult) -> str:
    kept = "&".join(pair for pair in parts.query.split("&") if not _TRACKING.fullmatch(pair))
    path = _clean_path(parts.path)
    canonical = urlsplit(canonicalize_url(parts._replace(path=path, query=kept).geturl()))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query_part = f"?{canonical.query}" if canonical.query else ""
    route = f"#{parts.fragment}" if parts.fragment.startswith(("/", "!")) else ""
    host = _bare_host(parts)
    return f"url:{host}{port}{canonical.path or '/'}{query_part}{route}"
