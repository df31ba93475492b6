"""Find a block of a page, and the labelled values in its head line.

Trees are lxml's: one parse of a whole page costs a fraction of a millisecond for lists and articles of the
usual 15 to 60 KB.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from lxml import etree, html

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import PARSER, read_body
from crawlers.readers.wholeness import refuse_two_pages

_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d{2}\s*(?:"
    r"年\s*\d{1,2}\s*月\s*\d{1,2}\s*日"
    r"|(?P<mark>[-/.])\s*\d{1,2}\s*(?P=mark)\s*\d{1,2}(?!\d)"
    r")(?:[\sT-]*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_BODY_END = re.compile("</body", re.I)
_SITE_NAME = re.compile(r"[一-鿿·（）()]{1,14}(?:检察院|法院|局|厅|部|署|委员会|政府|办公室|网|网站)$")
_DOING = re.compile("调研|走访|考察|视察|访问|约谈|来到|赴")  # what headlines say of institutions
_LEAST_TITLE = 6  # characters that no menu has by chance
_NEXT_LABEL = re.compile(
    r"\s*(?:(?:信息来源|文章来源|新闻来源|来源|作者|发布时间|发布日期|更新时间|时间"
    r"|责任编辑|编辑|浏览次数|字号|字体|点击量?)\s*[：:]|[【\[])"
)


def tree(page: Page) -> html.HtmlElement:
    """The whole page, parsed. Raises LayoutChanged where there is no markup at all, or two pages."""
    source = _in_utf8(page)
    if source:
        refuse_two_pages(page)
        try:
            return html.document_fromstring(source, parser=PARSER)
        except etree.ParserError:
            pass
    raise LayoutChanged(url=page.url, expected="an HTML page", found=f"{len(page.body)} bytes without markup")


def tree_from(page: Page, start: str, names: Collection[str]) -> html.HtmlElement | None:
    """The page without what stands before its content, which begins with this tag, written like this: parsing that
    would take as long as parsing the rest. None where the whole could be another tree: the tag stands nowhere, twice or
    out of sight, or before it the page's end or one of the names by which the content's parts are found. Raises
    LayoutChanged for two pages."""
    before, tag, content = page.text.partition(start)
    if not tag or start in content or start not in page.seen:
        return None
    if _BODY_END.search(before) or any(name in before for name in names):
        return None
    refuse_two_pages(page)
    source = f"<html><body>{tag}{content}".rstrip()
    return html.document_fromstring(source.encode("utf-8", "replace"), parser=PARSER)


def _in_utf8(page: Page) -> bytes:
    """The text as the parser takes it, without white space around it: of a page in UTF-8, the bytes as they came.

    Only between tags is it certain that they begin without a mark and are without white space beyond ASCII.
    """
    if page.text is page.utf8:
        source = page.body.strip()
        if source.startswith(b"<") and source.endswith(b">"):
            return source
    return page.text.strip().encode("utf-8", "replace")


def with_class(root: html.HtmlElement, name: str, *tags: str) -> list[html.HtmlElement]:
    """All elements that carry the class, in page order; of the given tags only, where any are given."""
    nodes = root.iter(*tags) if tags else root.iter(etree.Element)
    return [node for node in nodes if name in (node.get("class") or "") and has_class(node, name)]


def first(nodes: Iterable[html.HtmlElement]) -> html.HtmlElement | None:
    """The first of some nodes, None when there is none."""
    return next(iter(nodes), None)


def has_class(node: html.HtmlElement, name: str) -> bool:
    """True when the element has this class among others."""
    return name in (node.get("class") or "").split()


def folded(text: str | None) -> str:
    """The text on one line: white space folded to single spaces, control characters gone."""
    return " ".join(_CONTROL.sub("", text or "").split())


def one_line(node: html.HtmlElement | None) -> str:
    """The text of an element on one line: a `<br>` or a block inside it becomes a space."""
    return "" if node is None else folded(read_body(node, "").text)


def empty(node: html.HtmlElement) -> None:
    """Take the content of an element out of the page; what follows it stays."""
    node.clear(keep_tail=True)


def metas(root: html.HtmlElement) -> dict[str, tuple[str, str]]:
    """Every `<meta name>` with a content: lower-case name -> (name as spelled, content). First one wins."""
    found: dict[str, tuple[str, str]] = {}
    for node in root.iter("meta"):
        name, content = folded(node.get("name")), folded(node.get("content"))
        if name and content:
            found.setdefault(name.lower(), (name, content))
    return found


def cut_from(container: html.HtmlElement, node: html.HtmlElement) -> None:
    """Take `node` and everything that follows it inside `container` (an ancestor of it) out of the tree."""
    parent = node.getparent()
    _drop_after(node)
    parent.remove(node)
    while parent is not container:
        _drop_after(parent)
        parent.tail = None
        parent = parent.getparent()


def _drop_after(node: html.HtmlElement) -> None:
    for later in list(node.itersiblings()):
        node.getparent().remove(later)


def labelled(text: str, *labels: str) -> str | None:
    """What stands behind a label, up to the next one: `来源：高检网 作者：…` -> `高检网`.

    The labels are tried in the order given.
    """
    for label in labels:
        start = re.search(rf"{re.escape(label)}\s*[：:]\s*", text)
        if start is None:
            continue
        rest = text[start.end() :]
        end = _NEXT_LABEL.search(rest)
        value = (rest[: end.start()] if end else rest).strip()
        if value:
            return value
    return None


def named(text: str, *labels: str) -> str | None:
    """The name behind a label; None for what is none, since the label's own end is missing."""
    value = labelled(text, *labels)
    return None if value is None or date_shaped(value) or set(value) & set("【】") else value


def date_shaped(text: str) -> str | None:
    """The first complete date in the text, with its clock time where one follows, as printed.

    White space inside (Hanweb skins break a date over lines) is folded. What it means is decided later.
    """
    found = _DATE.search(text)
    return re.sub(r"\s*([-/.年月])\s*", r"\1", " ".join(found.group().split())) if found else None


def labelled_date(text: str, *labels: str) -> str | None:
    """The date that stands right behind a label: farther on, another label's date begins."""
    value = (labelled(text, *labels) or "").lstrip("[（(【 ")
    return date_shaped(value) if _DATE.match(value) else None


def behind_headline(head: str, title: str) -> str | None:
    """What stands behind the last mention of the title in the text above a body; None where it isn't mentioned.

    Menus and lists of other articles stand before it, and have dates and sources of their own.
    """
    letters = "".join(title.split())
    if len(letters) < _LEAST_TITLE:
        return None
    mentions = list(re.finditer(r"\s*".join(map(re.escape, letters)), head))
    return head[mentions[-1].end() :] if mentions else None


def names_a_site(text: str) -> bool:
    """Whether a heading is what institutions and their sites are called, and says nothing else."""
    bare = "".join(text.split())
    return _SITE_NAME.match(bare) is not None and _DOING.search(bare) is None


def text_outside(node: html.HtmlElement, inner: html.HtmlElement) -> str:
    """The text of `node` without the text of the element `inner` inside it."""
    return " ".join(piece for piece in _texts(node, inner) if piece)


def _texts(node: html.HtmlElement, inner: html.HtmlElement) -> Iterator[str]:
    if node is not inner and isinstance(node.tag, str):
        yield (node.text or "").strip()
        for child in node:
            yield from _texts(child, inner)
            yield (child.tail or "").strip()
