"""Signs that a page isn't whole, isn't one page, or shows something else where its article should stand.

A connection that breaks, a cache that mixes answers and a system that puts an error into its usual frame all give
pages whose mandatory blocks are there. None of them may become an article, so what can be noticed is refused:

- the page opens `<html>` or `<body>`, doesn't close it at its end, and nothing follows the block (of about fifty
  real pages of a dozen systems, read in 2026, every whole one closes both; fragments have neither);
- the page closes them amid the block;
- a second page begins right behind `</html>` (whole documents inside a page are menus and footers: bynr.gov.cn);
- a mandatory block stands there twice with different texts;
- the block holds the page's footer, a form, or the links to the articles before and after; or, where a system is
  known to have them all, the end of a `<div>` is missing;
- the text is a menu, a short message of the server, or the same text twice;
- the bytes are in another encoding than the declared one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import Body

_OPENING = re.compile(r"<(html|body)(?=[\s>])", re.I)
_PAGE_MARK = re.compile(r"<(/)?(html|body)(?=[\s>])", re.I)
_CLOSING = re.compile(r"</(?:html|body)\s*>", re.I)
_SECOND_PAGE = re.compile(r"</html\s*>.{,200}?<(?:!doctype|html)\b", re.I | re.S)
_TAIL = 300  # characters at the end of a page in which it is closed
_DIV = re.compile(r"<(?:[Dd][Ii][Vv](?=[\s>])|(/)[Dd][Ii][Vv]\s*>)")
_BLOCK = re.compile(r"<(/?)(?:article|div|main|section|table)(?=[\s>])", re.I)
_FOOTERS = frozenset(("foot", "footer", "footerbox", "copyright", "ft", "page-foot"))
_STRANGE_TAGS = ("footer", "form", "select")
_FOOTER_LINE = re.compile(
    r"ICP[备证]\s*\d{6,}|公网安备\s*\d{8,}|网站标识码|^(?:上一篇|下一篇)\s*[：:]|^版权所有|版权所有$|^网站更新"
    r"|^(?:相关新闻|相关报道|相关链接|热点(?:新闻)?|友情链接)[：:]?$|扫一扫"
)
_FOOTER_LINES = 12  # at the end of a text
_MESSAGE = re.compile(
    r"系统(?:繁忙|错误|维护中)|请稍[后候]再试|(?:页面|信息|文章|内容)不存在|已被?删除|服务器(?:内部)?(?:错误|繁忙)"
    r"|过于频繁|404 Not Found|Bad Gateway|Internal Server Error|Service Unavailable|数据库(?:连接)?(?:失败|错误)"
    r"|database connection|没有权限|登录后(?:查看|访问|阅读)|加载中|正在加载|安全验证|滑动验证"
    r"|开启\s?JavaScript|字[号体]\s*[：:]|打印本页|赞赏",
    re.I,
)
_MESSAGE_LENGTH = 60  # characters; the shortest notices seen on these sites have more
_HEAD_LINE = re.compile(r"(?:发布时间|发布日期|信息来源|来源)\s*[：:]")
_SHORTEST = 8  # characters of a text; less may be the label of a link
_MENU_LINKS = 3
_STRAY = 0.002  # share of characters that could not be decoded; a real search cut summaries within characters


def refuse_unreadable(page: Page) -> None:
    """Raise LayoutChanged for bytes in another encoding than the declared one."""
    # To count takes several times as long as to find none.
    stray = page.text.count("\ufffd") if "\ufffd" in page.text else 0
    if stray > len(page.text) * _STRAY or _is_misread_utf8(page):
        raise LayoutChanged(
            url=page.url,
            expected="text in the encoding that is declared",
            found=f"{stray} unreadable characters" if stray else "UTF-8",
        )


def _is_misread_utf8(page: Page) -> bool:
    """Whether the bytes are UTF-8 though something else was declared."""
    return page.utf8 is not None and page.utf8.lstrip("\ufeff") != page.text.lstrip("\ufeff")


def refuse_two_pages(page: Page) -> None:
    """Raise LayoutChanged for an answer in which a second page begins."""
    if len(page.openings["html"]) < 2:
        return
    if _SECOND_PAGE.search(page.seen):
        raise LayoutChanged(url=page.url, expected="one page", found="a second one behind </html>")


def refuse_cut_off(page: Page, block: html.HtmlElement | None) -> None:
    """Raise LayoutChanged where the page ends inside the block: without its own end, and with nothing behind, or with
    its own end amid the content.

    Without a block, where it has no end at all: lists of links from all over a page have no other bound.
    """
    if block is not None:
        around = [block, *block.iterancestors()]
        if _is_followed(takewhile(lambda node: node.tag not in ("body", "html"), around)):
            return
        if _ends_amid_content(page):
            raise LayoutChanged(
                url=page.url, expected="the end of the page behind the content", found="one amid it"
            )
        if _is_followed(around):
            return
    if not _CLOSING.search(page.seen[-_TAIL:]) and _OPENING.search(page.seen):
        raise LayoutChanged(
            url=page.url, expected="the end of the page behind the content", found="a page that is cut off"
        )


def _is_followed(nodes: Iterable[html.HtmlElement]) -> bool:
    """Whether any element stands behind the end of one of these."""
    return any(next(node.itersiblings("*"), None) is not None for node in nodes)


def _ends_amid_content(page: Page) -> bool:
    """Whether behind the end of the page more is closed than opened: the parser drops it, or puts it elsewhere."""
    opened: set[str] = set()
    inner = 0  # begun inside the page, as by what was pasted into an article: their ends are not the page's
    for mark in _PAGE_MARK.finditer(page.seen):
        is_end, name = bool(mark[1]), mark[2].lower()
        if not is_end:
            inner += name in opened
            opened.add(name)
        elif inner:
            inner -= 1
        else:
            blocks = _BLOCK.findall(page.seen, mark.end())
            return 2 * blocks.count("/") > len(blocks)
    return False


def refuse_overrun(page: Page, block: html.HtmlElement, *names: str) -> None:
    """Raise LayoutChanged where a footer, a form, or an element with one of the names stands inside the block."""
    strangers = _FOOTERS | set(names)
    for node in block.iterdescendants("div", "ul", "footer", "p", "section", "form", "select"):
        marks = {*(node.get("class") or "").lower().split(), (node.get("id") or "").lower()}
        found = node.tag if node.tag in _STRANGE_TAGS else next(iter(marks & strangers), None)
        if found:
            raise LayoutChanged(
                url=page.url,
                expected="the end of the text before what follows it",
                found=f"{found!r} inside it",
            )


def refuse_unbalanced(page: Page) -> None:
    """Raise LayoutChanged where the end of a `<div>` is missing: what follows may have run into the text.

    Only for systems whose real pages were seen to have them all.
    """
    marks = _DIV.findall(page.seen)
    closed = marks.count("/")
    opened = len(marks) - closed
    if opened > closed:
        raise LayoutChanged(url=page.url, expected=f"{opened} ends of <div>", found=f"{closed}")


def only(
    page: Page, nodes: Iterable[html.HtmlElement], expected: str, *, empty_too: bool = False
) -> html.HtmlElement | None:
    """The outermost of these elements, or the first of several with one text; None for none.

    Raises LayoutChanged where two stand side by side with different texts: nothing tells which is meant. An empty
    one counts with `empty_too` only.
    """
    found = list(nodes)
    among = set(found)
    outer = [node for node in found if not any(above in among for above in node.iterancestors())]
    if len(outer) < 2:
        return outer[0] if outer else None
    texts = {text for node in outer if (text := "".join(node.text_content().split())) or empty_too}
    if len(texts) > 1:
        raise LayoutChanged(url=page.url, expected=f"one {expected}", found=f"{len(texts)} that differ")
    return next((node for node in outer if node.text_content().strip()), outer[0])


def only_meta(page: Page, root: html.HtmlElement, name: str) -> str:
    """What `<meta name>` says, "" without it. Raises LayoutChanged where two of that name differ."""
    contents = [
        content
        for node in root.iter("meta")
        if (node.get("name") or "").strip().lower() == name.lower()
        and (content := (node.get("content") or "").strip())
    ]
    if len({"".join(content.split()) for content in contents}) > 1:
        raise LayoutChanged(
            url=page.url, expected=f"one metadata {name}", found=f"{len(contents)} that differ"
        )
    return contents[0] if contents else ""


def refuse_headline(page: Page, title: str) -> None:
    """Raise LayoutChanged for a title into which the line below it has run."""
    if _HEAD_LINE.search(title):
        raise LayoutChanged(url=page.url, expected="the end of the title", found=repr(title[:80]))


def refuse_message(page: Page, body: Body) -> None:
    """Raise LayoutChanged for a short body that is a message of the server or a row of links."""
    short = len("".join(body.text.split())) <= _MESSAGE_LENGTH and not body.attachments
    message = _MESSAGE.search(body.text) if short else None
    if message:
        raise LayoutChanged(url=page.url, expected="an article's text", found=f"a message: {message[0]!r}")
    if short:
        _refuse_menu(page, body)
        if body.text and not body.images and not any(letter.isalpha() for letter in body.text):
            raise LayoutChanged(url=page.url, expected="an article's text", found=repr(body.text))


def _refuse_menu(page: Page, body: Body) -> None:
    bare = "".join(body.text.split())
    label_only = bare and len(bare) < _SHORTEST and 2 * body.linked >= len(bare)
    if label_only or (body.anchors >= _MENU_LINKS and not body.attachments and 2 * body.linked >= len(bare)):
        raise LayoutChanged(
            url=page.url, expected="an article's text", found=f"{body.anchors} links and little else"
        )


def refuse_no_article(page: Page, body: Body) -> None:
    """Raise LayoutChanged for a body that is a message of the server or a menu, or that ends in the page's footer."""
    refuse_message(page, body)
    _refuse_menu(page, body)
    bare = "".join(body.text.split())
    half = len(bare) // 2
    if half >= _SHORTEST and bare[:half] == bare[half:]:
        raise LayoutChanged(url=page.url, expected="one text", found="the same text twice")
    for line in body.text.split("\n")[-_FOOTER_LINES:]:
        if "。" not in line and _FOOTER_LINE.search(line):
            raise LayoutChanged(
                url=page.url, expected="the end of the text before what follows it", found=repr(line[:60])
            )
