"""A column of an office as a recorded web: its list and its articles, and a folder in which it is watched."""

from __future__ import annotations

from pathlib import Path

from tests.loopback import Said

SITE = "https://ip.example.gov.cn"
RECORDS = f"{SITE}/module/web/jpage/dataproxy.jsp?page=1&webid=1&columnid=74&unitid=17035&perpage=100"
XML = {"Content-Type": "text/xml; charset=utf-8"}
GONE = Said(404, b"<html><head><title>404 Not Found</title></head></html>")


def url_of(number: int) -> str:
    return f"{SITE}/art/2026/11/18/art_74_{number}.html"


def listing(*numbers: int) -> Said:
    rows = "".join(
        f"<record><![CDATA[<li><a href='/art/2026/11/18/art_74_{n}.html' title='商标工作动态之{n}'>商标工作动态之{n}</a>"
        "<span>2026-11-18</span></li>]]></record>"
        for n in numbers
    )
    body = (
        f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>{len(numbers)}</totalrecord>"
        f"<totalpage>1</totalpage><recordset>{rows}</recordset></datastore>"
    )
    return Said(200, body.encode(), XML)


def article(number: int, text: str = "赔偿三十万元", *, reads: int = 7, **headers: str) -> Said:
    body = (
        f"这是第{number}篇动态的正文，其中记载一件商标案件，法院判决{text}。"
        + "为加强商标保护，各地开展了专项行动。" * 20
    )
    return Said(
        200,
        f"""<html><head><meta name="ArticleTitle" content="商标工作动态之{number}">
<meta name="PubDate" content="2026-11-18 08:00"><meta name="ContentSource" content="某局"></head>
<body><h1>商标工作动态之{number}</h1><div class="article-info"><span>发布时间：2026-11-18 08:00</span></div>
<div class="article-content"><!--<$[信息内容]>begin--><p>{body}</p><p>浏览次数：{reads}次</p>
<!--<$[信息内容]>end--></div></body></html>""".encode(),
        headers,
    )


def watch_column(folder: Path, *further: str) -> None:
    """Write the configuration of an installation that watches the column; `further` are lines of it."""
    (folder / "sources.toml").write_text(
        f"""[cnipa_column]
reader = "hanweb"
url = "{RECORDS}"
name_zh = "试验公告"
name_en = "Column"
publisher_zh = "某局"
publisher_en = "Some office"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true
""",
        encoding="utf-8",
    )
    (folder / "iprwatch.toml").write_text(
        "\n".join(further) + '\ndata = "data"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\n'
        '[channels.log]\nkind = "file"\npath = "alerts.jsonl"\n'
        '[[rules]]\nname = "All"\nwords = ["商标"]\nevents = ["new", "edited", "withdrawn"]\n'
        'send = [{ channel = "log" }]\n',
        encoding="utf-8",
    )
