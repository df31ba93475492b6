"""Text, names and identity: what makes two values the same thing, decided from raw values only.

URL forms are those that the sites themselves use (see each rule). A rule here must give the id that the
site's reader states, so that a link in a list and the page it leads to are one item.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from w3lib.url import canonicalize_url

from pipeline.record import Context, Record

if TYPE_CHECKING:
    from crawlers.notice import Notice

_HANWEB = re.compile(r"/art/\d{4}/\d{1,2}/\d{1,2}/art_\d+_(\d+)\.html?$")
_CHINACOURT = re.compile(r"/article/detail/\d{4}/\d{2}/id/(\d+)\.shtml$")
# Host (without www.), where in the path the site's own number stands, and the name the number is kept under.
_BY_PATH: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("court.gov.cn", re.compile(r"-?/?xiangqing[-/](\d+)\.html$"), "court.gov.cn"),
    ("ipc.court.gov.cn", re.compile(r"/view-(\d+)\.html$"), "ipc.court.gov.cn"),
    ("enipc.court.gov.cn", re.compile(r"/view-(\d+)\.html$"), "ipc.court.gov.cn"),
    ("spp.gov.cn", re.compile(r"/t\d{8}_(\d+)\.shtml$"), "spp"),
    ("gov.cn", re.compile(r"/content_(\d+)\.html?$"), "gov.cn"),
    ("samr.gov.cn", re.compile(r"/art/\d{4}/(?:.*/)?art_([0-9a-f]{32})\.html$"), "samr"),
    ("sipa.sh.gov.cn", re.compile(r"/\d{8}/([0-9a-f]{32})\.html$"), "sipa"),
    ("zscqj.beijing.gov.cn", re.compile(r"^/zscqj/.*/(\d+)/index\.html$"), "zscqj.beijing"),
    ("ipr.mofcom.gov.cn", re.compile(r"^/article/.*/\d{6}/(\d+)\.html$"), "ipr.mofcom"),
)
_MAIN_CHINACOURT = ("chinacourt.org", "chinacourt.cn")
_BY_QUERY = {"iprchn.com": "iprchn", "cnipa-ipdrc.org.cn": "ipdrc"}
_WECHAT_SHORT = re.compile(r"/s/([A-Za-z0-9_-]{10,})$")
# Keys are unique in the database; both databases index keys of this length.
_LONGEST_KEY = 500
_SPACES = re.compile(r"\s+")


def identify_url(url: str) -> str:
    """The key of the article that a URL leads to, whatever path, host twin, port or tracking it came with.

    - www.court.gov.cn: one number under /fabu/, /zixun/ and /shenpan/ -> `court.gov.cn:436481`
    - www.spp.gov.cn: the number after the date, whatever channel -> `spp:730692`
    - www.cnipa.gov.cn and other Hanweb sites: the number after the column -> `cnipa:207729`
    - mp.weixin.qq.com: `wechat:<biz>/<mid>/<idx>` for the long form; the short form hides them and stays
      `wechat-short:<22 characters>` until its page has stated them
    - court, government and IP-office sites with a number of their own in the path, the two spellings of
      China IP News (`newsId`), the twin hosts of the IP Court: the site's name and that number
    - the chinacourt template: `chinacourt:<number>` on the main site, with the host on local ones
    - anything else: `url:` and the canonical URL without scheme, default port and fragment
    """
    url = url.replace("&amp;", "&").strip()
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    site = host.removeprefix("www.")
    for owner, pattern, name in _BY_PATH:
        if site == owner and (match := pattern.search(parts.path)):
            return f"{name}:{match[1]}"
    if match := _HANWEB.search(parts.path):
        return f"cnipa:{match[1]}" if site == "cnipa.gov.cn" else f"hanweb:{host}:{match[1]}"
    if match := _CHINACOURT.search(parts.path):
        return f"chinacourt:{match[1]}" if site in _MAIN_CHINACOURT else f"chinacourt:{host}:{match[1]}"
    if site in _BY_QUERY:
        numbers = [value for name, value in parse_qsl(parts.query) if name.lower() == "newsid"]
        if numbers and numbers[0].isdigit():
            return f"{_BY_QUERY[site]}:{numbers[0]}"
    if host == "mp.weixin.qq.com":
        if match := _WECHAT_SHORT.search(parts.path):
            return f"wechat-short:{match[1]}"
        query = dict(parse_qsl(parts.query))
        if parts.path == "/s" and all(query.get(name) for name in ("__biz", "mid", "idx")):
            return f"wechat:{query['__biz']}/{query['mid']}/{query['idx']}"
    return _shorten(_canonical_key(url, host))


def _canonical_key(url: str, host: str) -> str:
    parts = urlsplit(url)
    canonical = urlsplit(canonicalize_url(url))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query_part = f"?{canonical.query}" if canonical.query else ""
    return f"url:{host}{port}{re.sub('/{2,}', '/', canonical.path) or '/'}{query_part}"


def _shorten(key: str) -> str:
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:300]}#{hashlib.sha256(key.encode()).hexdigest()}"


def fold(text: str) -> str:
    """The form in which texts are compared and searched: NFKC (full-width to half-width), lower case, one
    space between words. Never stored in place of the text.
    """
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def title_key(title: str) -> str:
    """A title without spaces, punctuation and symbols, folded: equal for the same headline set differently."""
    return "".join(character for character in fold(title) if character.isalnum())


def normalize(notice: Notice, context: Context) -> Record:
    """The first step: identity, title and publisher of a notice.

    Raises ValueError for a notice without a title (its reader should have refused the page).
    """
    title = _SPACES.sub(" ", notice.title).strip()
    keys = [notice.identity, notice.entry.identity if notice.entry else None]
    keys += [identify_url(notice.url), identify_url(notice.entry.url) if notice.entry else None]
    addresses = tuple(dict.fromkeys(key for key in keys if key))
    digest = hashlib.sha256(f"{title}\n{notice.body}".encode("utf-8", "surrogatepass"))
    return Record(
        notice=notice,
        context=context,
        identity=addresses[0],
        addresses=addresses,
        title=title,
        publisher=(notice.publisher or "").strip() or context.publisher_zh,
        body=notice.body,
        content_sha256=digest.hexdigest(),
    )
