"""Announcements of companies listed in China: suits over patents, licences, awarded damages.

Lists
    CNINFO (巨潮资讯网)  https://www.cninfo.com.cn/new/fulltextSearch/full?searchkey=<words>&sdate=&edate=
                         &isfulltext=false&sortName=pubdate&sortType=desc&pageNum=1
                         https://www.cninfo.com.cn/new/hisAnnouncement/query: the same answer, but by POST
    SSE (上交所)         https://query.sse.com.cn/security/stock/queryCompanyBulletin.do?productId=<code>&… and
                         queryCompanyBulletinNew.do; both want a Referer of www.sse.com.cn
Files
    https://static.cninfo.com.cn/finalpage/2026-11-12/<announcementId>.PDF
    https://static.sse.com.cn/disclosure/listedinfo/announcement/c/new/2026-11-12/<code>_<date>_<4 letters>.pdf
    https://pdf.dfcfw.com/pdf/H2_AN<digits>_1.pdf: copies of both

History, as described by public tools from 2017 to 2026; no real answer has been read:
- CNINFO marks found words in titles with `<em>`. announcementTime is in milliseconds, and usually midnight in
  Beijing, which is the day of the announcement and no time. `announcements` is null where nothing was found.
- SSE wraps its answer into `jsonpCallback123(…)` when the URL asks for it. Rows stand in `result` or in
  `pageHelp.data`, in the newer service as lists of one or more. ADDDATE is when a row came in, often the evening
  before SSEDATE, the day that the announcement bears. pageNo, beginPage and endPage must be equal, or the first
  page comes again.
- Titles mostly leave out the company, so it is put before them, as these sites do themselves (`公司：标题`).
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers import document
from crawlers.readers.body import absolute, read_body
from crawlers.readers.markup import folded
from crawlers.readers.refusals import refuse_blocked
from pipeline.normalize.identity import site_identity

NAME = "disclosure"
LIST_HOSTS = ("www.cninfo.com.cn", "query.sse.com.cn")
FILE_HOSTS = ("static.cninfo.com.cn", "static.sse.com.cn", "www.sse.com.cn", "pdf.dfcfw.com")

_EXPECTED = "a list of announcements (announcements, or result and pageHelp)"
_CNINFO_FILES = "https://static.cninfo.com.cn/"
_SSE_FILES = "https://static.sse.com.cn/"
_MARKS = (b'"adjunctUrl"', b'"totalAnnouncement"', b'"SECURITY_NAME"')
_JSONP = re.compile(r"\s*[\w.$]+\s*\((.*)\)\s*;?\s*", re.S)
_CNINFO_FILE = re.compile(r"/finalpage/(\d{4}-\d{2}-\d{2})/(\d+)\.pdf$", re.I)
_BEIJING_MIDNIGHT = 16 * 3600  # seconds of a UTC day

logger = logging.getLogger(__name__)


def recognises(page: Page) -> bool:
    """By host: the two services and the hosts of their files; a page without URL by the answers' names."""
    if page.url:
        host = urlsplit(page.url).hostname
        return host in LIST_HOSTS or (host in FILE_HOSTS and document.recognises(page))
    return not document.recognises(page) and any(mark in page.body for mark in _MARKS)


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone or LayoutChanged for a page that is neither."""
    if document.recognises(page):
        return "article"
    _answer(page)
    return "list"


def read_list(page: Page) -> ListPage:
    """An answer of either service. Nothing found is an empty list.

    Raises LayoutChanged for a page that is no answer or has rows that can't be read; Blocked, Gone.
    """
    answer = _answer(page)
    if "announcements" in answer:
        rows, total = _cninfo_rows(answer, page)
        entries = [_cninfo_entry(row, position) for position, row in enumerate(rows)]
        next_url = _next_of_cninfo(page.url) if rows and answer.get("hasMore") is True else None
    else:
        rows, total = _sse_rows(answer, page)
        entries = [_sse_entry(row, position) for position, row in enumerate(rows)]
        next_url = _next_of_sse(page.url, answer.get("pageHelp"))
    read = tuple(entry for entry in entries if entry)
    company = "secName" if "announcements" in answer else "SECURITY_NAME"
    if read and not any(isinstance(row, dict) and isinstance(row.get(company), str) for row in rows):
        raise LayoutChanged(url=page.url, expected=f"rows with {company}", found=_keys(rows[0]))
    if len(read) < len(rows):
        logger.warning(
            "Skipped %d of %d announcements at %r: they have no title or no file.",
            len(rows) - len(read),
            len(rows),
            page.url,
        )
    if rows and not read:
        raise LayoutChanged(
            url=page.url,
            expected="rows with a title and a file",
            found=f"{len(rows)} rows that lack them, the first with {_keys(rows[0])}",
        )
    return ListPage(read, next_url, total)


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """The announcement's PDF, with title and date of its list entry.

    The body is empty for a scan and for a broken or encrypted file, and `body_note` says so. Raises LayoutChanged
    without an entry or for something else than a PDF; Blocked, Gone.
    """
    if not document.recognises(page):
        refuse_blocked(page)
        raise LayoutChanged(
            url=page.url, expected="a PDF file", found=f"{len(page.body)} bytes of another kind"
        )
    if entry is None or not entry.title:
        raise LayoutChanged(
            url=page.url,
            expected="a list entry with the announcement's title and date",
            found="a file alone, which states neither in a form to rely on; to have it, watch a search of "
            "www.cninfo.com.cn that lists it (`iprwatch sources add` with the search's URL, searchkey=<title>), "
            "then crawl that source",
        )
    return document.read_file(page, entry, reader=NAME, identity=identity_of(page.url))


def identity_of(url: str) -> str | None:
    """`cninfo:<announcementId>` or `sse:<file name>`; None for a copy elsewhere."""
    return site_identity(url, "cninfo", "sse")


def _answer(page: Page) -> dict[str, Any]:
    """The JSON object of either service, out of its wrapping. Raises Blocked, Gone, LayoutChanged."""
    text = page.text
    wrapped = _JSONP.fullmatch(text)
    try:
        answer = json.loads(wrapped[1] if wrapped else text)
    except (ValueError, RecursionError) as error:
        refuse_blocked(page)
        raise LayoutChanged(url=page.url, expected=_EXPECTED, found=f"no JSON ({error})") from error
    if page.status >= 400:
        refuse_blocked(page)
    if not isinstance(answer, dict) or not (
        "announcements" in answer or "pageHelp" in answer or "result" in answer
    ):
        raise LayoutChanged(url=page.url, expected=_EXPECTED, found=f"JSON with {_keys(answer)}")
    return answer


def _cninfo_rows(answer: dict[str, Any], page: Page) -> tuple[list[Any], int | None]:
    rows = answer["announcements"]
    counts = [answer.get(key) for key in ("totalAnnouncement", "totalRecordNum")]
    total = next((count for count in counts if isinstance(count, int) and count > 0), None)
    if rows is None and total is None and 0 in counts:
        return [], 0
    if not isinstance(rows, list):
        raise LayoutChanged(
            url=page.url,
            expected="announcements",
            found=f"{type(rows).__name__} in their place, with totals {counts}",
        )
    return rows, total if total is not None or rows else 0


def _cninfo_entry(row: Any, position: int) -> ListEntry | None:
    fields = row if isinstance(row, dict) else {}
    title = _titled(fields, "secName", "announcementTitle")
    number = str(fields.get("announcementId") or "")
    file = fields.get("adjunctUrl")
    url = absolute(file, _CNINFO_FILES) if isinstance(file, str) else None
    if not title or url is None:
        return None
    return ListEntry(
        url=url,
        title=title,
        date=_cninfo_date(fields.get("announcementTime"), url),
        position=position,
        identity=f"cninfo:{number}" if number.isdecimal() else identity_of(url),
    )


def _cninfo_date(time: Any, url: str) -> PrintedDate | None:
    in_url = _CNINFO_FILE.search(urlsplit(url).path)
    if not isinstance(time, int) or isinstance(time, bool) or time <= 0:
        return PrintedDate(in_url[1], "list entry adjunctUrl") if in_url else None
    if time // 1000 % 86400 == _BEIJING_MIDNIGHT:
        day = datetime.fromtimestamp(time // 1000, UTC) + timedelta(hours=8)
        return PrintedDate(day.date().isoformat(), "list entry announcementTime")
    return PrintedDate(str(time), "list entry announcementTime", form="unix")


def _sse_rows(answer: dict[str, Any], page: Page) -> tuple[list[Any], int | None]:
    helper = answer.get("pageHelp")
    paged = helper if isinstance(helper, dict) else {}
    rows = next(
        (found for found in (answer.get("result"), paged.get("data")) if isinstance(found, list) and found),
        None,
    )
    total = paged.get("total")
    total = total if isinstance(total, int) else None
    if rows is None:
        if total == 0 or answer.get("result") == [] or paged.get("data") == []:
            return [], total
        raise LayoutChanged(url=page.url, expected="result or pageHelp.data", found=f"only {_keys(answer)}")
    flat: list[Any] = []
    for row in rows:
        flat.extend(row if isinstance(row, list) else [row])
    return flat, total


def _sse_entry(row: Any, position: int) -> ListEntry | None:
    fields = row if isinstance(row, dict) else {}
    title = _titled(fields, "SECURITY_NAME", "TITLE")
    file = fields.get("URL")
    url = absolute(file, _SSE_FILES) if isinstance(file, str) else None
    if not title or url is None:
        return None
    printed = next(
        (folded(value) for key in ("ADDDATE", "SSEDATE") if isinstance(value := fields.get(key), str)), ""
    )
    return ListEntry(
        url=url,
        title=title,
        date=PrintedDate(printed, "list entry") if printed else None,
        position=position,
        identity=identity_of(url),
    )


def _titled(fields: dict[str, Any], company_key: str, title_key: str) -> str:
    company, title = (
        folded(read_body(value, "").text) if isinstance(value := fields.get(key), str) else ""
        for key in (company_key, title_key)
    )
    if not title or "".join(title.split()).startswith("".join(company.split())):
        return title
    return f"{company}：{title}"


def _next_of_cninfo(url: str) -> str | None:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    number = query.get("pageNum", "")
    if not number.isdecimal():
        return None
    return urlunsplit(parts._replace(query=urlencode(query | {"pageNum": str(int(number) + 1)})))


def _next_of_sse(url: str, helper: Any) -> str | None:
    number, count = (helper.get(key) if isinstance(helper, dict) else None for key in ("pageNo", "pageCount"))
    if not url or not isinstance(number, int) or not isinstance(count, int) or number >= count:
        return None
    following = {f"pageHelp.{key}": str(number + 1) for key in ("pageNo", "beginPage", "endPage")}
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | following
    return urlunsplit(parts._replace(query=urlencode(query, safe=",")))


def _keys(answer: Any) -> str:
    return str(sorted(map(str, answer))[:20]) if isinstance(answer, dict) else f"a {type(answer).__name__}"
