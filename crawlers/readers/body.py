"""The text of an article's body: from an HTML fragment to paragraphs, links, attachments and images.

Readers cut the fragment out of the page first; only that is parsed here, since parsing whole pages costs
several times as much as everything else together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree, html

from crawlers.notice import Attachment

_BLOCKS = frozenset(
    "address article aside blockquote br caption center dd div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_CELLS = frozenset(("td", "th"))
_NOT_TEXT = frozenset(
    ("script", "style", "noscript", "template", "head", "title", "iframe", "svg", "textarea")
)
_ATTACHMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|ofd|zip|rar|7z)(?:$|[?#])|/downfile\.jsp|/module/download/", re.I
)
# Inside a fragment they are none of its page's: to the parser, their ends would be the fragment's.
_PAGE_TAG = re.compile(r"</?(?:html|head|body)(?=[\s/>])[^<>]*>", re.I)
_SPACES_IN_LINE = re.compile(r"[ \r\f\v\xa0\u2002-\u200a\u3000]+")
# With the control characters beyond ASCII, some of which are commands to a terminal; U+0085 ends a line.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b-\u200d\u2060\ufeff]")

PARSER = html.HTMLParser(encoding="utf-8", huge_tree=True)
"""For text in UTF-8. To make one takes a sixth of the time that it takes to parse a page."""
# One class for all elements, forms too: what lxml.html has chooses one in Python, for every element that is looked at.
PARSER.set_element_class_lookup(
    etree.ElementDefaultClassLookup(
        element=html.HtmlElement,
        comment=html.HtmlComment,
        pi=html.HtmlProcessingInstruction,
        entity=html.HtmlEntity,
    )
)


@dataclass(frozen=True, slots=True)
class Body:
    """`text` has one paragraph a line, cells of a table row separated by tabs; all URLs are absolute.

    `anchors` counts links to pages and choices of a menu, `linked` their characters without white space.
    """

    text: str
    links: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    images: tuple[str, ...]
    anchors: int = 0
    linked: int = 0


def read_body(fragment: str | html.HtmlElement, base_url: str) -> Body:
    """Read a body fragment. Hidden nodes count as text (WeChat hides the whole body until its script ran).

    Links that are not http(s) are dropped: a `javascript:` link never enters the store.
    """
    if isinstance(fragment, str):
        if not fragment.strip():
            return Body("", (), (), ())
        root = html.fragment_fromstring(
            _PAGE_TAG.sub("", fragment).encode("utf-8", "replace"), create_parent="div", parser=PARSER
        )
    else:
        root = fragment
    pieces: list[str] = []
    links: dict[str, None] = {}
    attachments: dict[str, Attachment] = {}
    images: dict[str, None] = {}
    cells: list[int] = []
    hidden = 0  # how many ancestors are no text
    labels: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = node.tag
        if event == "start":
            hidden += tag in _NOT_TEXT
            if hidden:
                continue
            if tag in _BLOCKS:
                pieces.append("\n")
            elif tag in _CELLS:
                cells.append(len(pieces))
            if node.text:
                pieces.append(_flat(node.text))
            if tag == "a":
                label = _note_link(node, base_url, links, attachments)
                labels += [label] if label else []
            elif tag == "option":
                labels.append("".join(node.itertext()))
            elif tag == "img":
                source = node.get("data-src") or node.get("src")
                url = absolute(source, base_url) if source else None
                if url:
                    images[url] = None
            continue
        if event == "end":
            if hidden:
                hidden -= tag in _NOT_TEXT
            elif tag in _BLOCKS:
                pieces.append("\n")
            elif tag in _CELLS:
                _close_cell(pieces, cells.pop())
        if not hidden and node is not root and node.tail:
            pieces.append(_flat(node.tail))
    return Body(
        tidy("".join(pieces)),
        tuple(links),
        tuple(attachments.values()),
        tuple(images),
        len(labels),
        sum(len("".join(label.split())) for label in labels),
    )


def _close_cell(pieces: list[str], start: int) -> None:
    # Editors wrap a cell's text in blocks of their own: these must not break the row.
    text = "".join(pieces[start:]).strip()
    pieces[start:] = [text, "\t"]


def tidy(text: str) -> str:
    """Spaces folded to one inside a line, none at its ends, no empty lines. Punctuation stays as printed."""
    return "\n".join(line for line in map(_tidy_line, text.split("\n")) if line)


def _tidy_line(line: str) -> str:
    line = line.strip()
    if line.isprintable() and "  " not in line:
        return line  # most are: there is nothing invisible in it, and no white space but single spaces
    line = _SPACES_IN_LINE.sub(" ", _INVISIBLE.sub("", line))
    return "\t".join(map(str.strip, line.split("\t"))).strip()


def absolute(href: str, base_url: str) -> str | None:
    """The absolute http(s) URL of a link, or None when it leads nowhere (`#`, `javascript:`, `mailto:`)."""
    href = href.strip()
    if not href or href.startswith("#"):
        return None
    try:
        url = urljoin(base_url, href)
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _flat(text: str) -> str:
    """A text of the markup: its line breaks and tabs are spaces. `tidy` folds what is more than one."""
    return text.replace("\n", " ").replace("\t", " ")


def _note_link(
    node: html.HtmlElement, base_url: str, links: dict[str, None], attachments: dict[str, Attachment]
) -> str:
    """Enter a link under its kind. Returns its text, "" for an attachment's."""
    url = absolute(node.get("href") or "", base_url)
    text = "".join(node.itertext())
    if url is None:
        return text if node.get("href") else ""
    if _ATTACHMENT.search(url):
        label = _SPACES_IN_LINE.sub(" ", _flat(text)).strip()
        name = label or node.get("title") or unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        attachments.setdefault(url, Attachment(url, name))
        return ""
    links[url] = None
    return text
