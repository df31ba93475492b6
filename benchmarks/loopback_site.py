"""A made-up www.court.gov.cn on loopback, for speed measurements: lists and articles of the site's weight.

Pages have the structure of `samples/court_gov` and texts of `benchmarks.notices`; navigation, link tables and
scripts are filled up until an article weighs about 60 KB and has some ten tags a KB, as the real ones have. Every
article is another one: title, dates, case numbers, amounts, body. All of a body but its first paragraph is sentences of
its own, made of the same words: two articles of a real site have little in common, and those of the near-duplicate
benchmark, which are drawn from sixty sentences, nearly everything. One article in ten carries an earlier one's text
under another headline, as reprints do. Nothing here reaches the network.

A crawl asks for the site's real names, on the port where `serve` listens. `lead_to_loopback` puts loopback into
Scrapy's cache of name look-ups, where the guard's resolver finds and judges it as any other address: every
component of a live crawl is passed, and real HTTP is spoken over a socket.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from scrapy.resolver import dnscache
from twisted.internet.address import IPv4Address

from benchmarks.notices import TEXTS, draw, write_article

HOSTS = ("www.court.gov.cn", "court.gov.cn")
"""Both names of the site: two, since a polite crawl has one request at a time under way to each."""
ENTRIES = 20
"""Articles that a list page shows."""
REPRINTED = 10
"""One article in this many has the text of an earlier one."""
FIRST_NUMBER = 600001
WEIGHT = 60_000
"""Bytes of an article page, about."""

_SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "court_gov"
_WORDS = sorted({word for text in TEXTS["sentences"] for word in re.findall("[一-鿿]{2}", text)})
_ROBOTS = b"User-agent: *\nDisallow: /admin/\nDisallow: /search.html\n"


class Site:
    """All pages of the site on a port, made when it is: always the same bytes."""

    def __init__(self, articles: int, port: int) -> None:
        random = Random(1)
        head, tail = _cut(_SAMPLES / "article_512261", '<div class="detail">', "<!--友情链接开始-->")
        head = head.replace('<ul id="yw2">', f'<ul id="yw2">{_menus(random)}', 1)
        self._pages: dict[str, bytes] = {"/robots.txt": _ROBOTS}
        self.article_urls: list[str] = []
        links = _links(random)
        entries: list[str] = []
        bodies: list[str] = []
        for place in range(articles):
            path = f"/fabu/xiangqing/{FIRST_NUMBER + place}.html"
            reprint = place % REPRINTED == REPRINTED - 1
            body = random.choice(bodies) if reprint else _write_body(random)
            bodies.append(body)
            title, day, article = _write_page(random, place, body)
            filling = WEIGHT - len(f"{head}{article}{links}{tail}".encode())
            page = f"{head}{article}{links}{_scripts(random, filling)}{tail}"
            self._pages[path] = page.encode()
            self.article_urls.append(f"http://{HOSTS[place % len(HOSTS)]}:{port}{path}")
            entries.append(
                f'<li>\n<a title="{title}" target="_blank" href="{self.article_urls[-1]}">{title[:40]}...</a>'
                f'                <i class="date">{day}</i>\n</li>'
            )
        self._add_lists(entries)

    def _add_lists(self, entries: list[str]) -> None:
        head, tail = _cut(_SAMPLES / "list_16", '<div class="sec_list">', "<!--友情链接开始-->")
        count = -(-len(entries) // ENTRIES)
        for number in range(1, count + 1):
            rows = "\n".join(entries[(number - 1) * ENTRIES : number * ENTRIES])
            hidden = "" if number < count else " hidden"
            block = (
                f'<div class="sec_list"><div class="title"><div class="tit">司法解释</div></div>\n<ul>{rows}</ul>\n'
                '<div class="clearfix btm_row"><div class="fl count">'
                f'共<span class="num">{len(entries)}</span>篇文章</div>'
                f'<ul id="yw1" class="yiiPager"><li class="next{hidden}">'
                f'<a href="/fabu/gengduo/16_{min(number + 1, count)}.html">下一页</a>'
                "</li></ul></div></div></div></div>\n"
            )
            path = f"/fabu/gengduo/16{'' if number == 1 else f'_{number}'}.html"
            self._pages[path] = f"{head}{block}{tail}".encode()

    def open_page(self, url: str) -> bytes | None:
        """The bytes under this URL, or None where there is no page."""
        return self._pages.get(urlsplit(url).path)


def _cut(sample: Path, start: str, end: str) -> tuple[str, str]:
    """What stands before and after the content of a sample page. Raises ValueError when a mark is missing."""
    page = (sample / "page.html").read_text(encoding="utf-8")
    return page[: page.index(start)], page[page.index(end) :]


def _write_body(random: Random) -> str:
    """A text of 800 to 3,000 characters or a little more."""
    body = write_article(random)[1].split("\n")[0]
    least = random.randint(800, 2500)
    while len(body) < least:
        body += "\n" + _write_paragraph(random)
    return body


def _write_page(random: Random, place: int, body: str) -> tuple[str, str, str]:
    """Title, day and content block of an article."""
    title = f"{write_article(random)[0]}（{draw(random, 'case')}）"
    day = f"{2016 + place % 10}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    clock = f"{random.randint(8, 18):02d}:{random.randint(0, 59):02d}:{random.randint(0, 59):02d}"
    paragraphs = "\n".join(
        '<p style="text-indent: 2em; line-height: 1.75em; margin-bottom: 15px;">\n\t'
        f'<span style="font-family: 宋体, SimSun; font-size: 16px;">　　{text}</span>\n</p>'
        for text in body.split("\n")
    )
    block = f"""<div class="detail">
        <div class="title">{title}</div>
        <div class="clearfix detail_mes">
            <ul class="clearfix fl message">
                <li class="fl">来源：{draw(random, "court")}</li>
                <li class="fl">发布时间：{day} {clock}</li>
            </ul>
            <ul class="clearfix fr handle">
                <li class="fl word_size"><span>字号：</span> <a class="smaller" href="#">小</a>
                    <a class="bigger" id="selected" href="#">大</a></li>
                <li class="fl print"><a href="javascript:;" id="print_article">打印本页</a></li>
            </ul>
        </div>
        <div class="txt big">
            <div class="txt_txt">{paragraphs}</div>
            <div class="txt_etr"><span class="fr">责任编辑：{draw(random, "person")}</span></div>
        </div>
        <div class="share"></div>
    </div>
</div>
"""
    return title, day, block


def _write_paragraph(random: Random) -> str:
    """Five sentences of two-character words, with one figure each."""
    return "".join(
        f"{''.join(random.choices(_WORDS, k=random.randint(6, 14)))}，"
        f"{''.join(random.choices(_WORDS, k=random.randint(6, 14)))}{random.randint(2, 900)}件。"
        for _ in range(5)
    )


def _menus(random: Random) -> str:
    """The channels' pull-down menus."""
    menus = []
    for channel in range(10):
        rows = "\n".join(
            f'<li class="clearfix"><a target="_blank" title="{cause}" '
            f'href="/shenpan/gengduo/{channel * 40 + row}.html">'
            f"<span>{draw(random, 'city')}{cause}</span></a></li>"
            for row, cause in enumerate(draw(random, "cause") for _ in range(8))
        )
        menus.append(
            f'<li class="fl"><a href="/pindao/{channel}.html">频道</a><ul class="sub">{rows}</ul></li>'
        )
    return "\n".join(menus)


def _links(random: Random) -> str:
    """The table of links to other courts above the footer."""
    rows = "\n".join(
        f'<a href="http://www.court{number}.example.cn/index.html" target="_blank" title="{city}法院网">'
        f"{city}法院网</a><font>|</font>"
        for number, city in enumerate(draw(random, "city") for _ in range(60))
    )
    return f'<div class="links">{rows}</div>\n'


def _scripts(random: Random, size: int) -> str:
    """Inline scripts of `size` bytes, each page's with values of its own."""
    lines = []
    while size > 0:
        lines.append(
            f'<script type="text/javascript">jQuery(function($){{$("#part{random.randint(1, 99999)}").textUI({{speed:'
            f'{random.randint(1, 999)},list:["年","月","日"]}});if($(window).width()<1280&&!$("body").hasClass("on"))'
            '{$(".nav li").hover(function(){$(this).find("ul").show();},'
            'function(){$(this).find("ul").hide();});}});</script>'
        )
        size -= len(lines[-1].encode()) + 1
    return "\n".join(lines)


def lead_to_loopback() -> None:
    """Let the site's names lead to 127.0.0.1 in this process, for resolvers of Scrapy that cache hosts."""
    for host in HOSTS:
        dnscache[host] = [IPv4Address("TCP", "127.0.0.1", 0)]


def serve(articles: int, pipe: Connection) -> None:
    """Run the site on a free port of 127.0.0.1 until killed; sends the port through `pipe`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asyncio.run(_serve(Site(articles, port), listener, lambda: pipe.send(port)))


async def _serve(site: Site, listener: socket.socket, tell: Callable[[], None]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):
                writer.close()
                return
            body = site.open_page(head.split(b" ", 2)[1].decode("ascii"))
            kind = "text/plain" if body == _ROBOTS else "text/html; charset=utf-8"
            status = "404 Not Found" if body is None else "200 OK"
            body = body or b""
            writer.write(
                f"HTTP/1.1 {status}\r\nServer: loopback\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()

    server = await asyncio.start_server(answer, sock=listener)
    tell()
    await server.serve_forever()
