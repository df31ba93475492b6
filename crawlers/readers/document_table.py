"""The table at the head of a government document: index number, issuer, document number, two dates.

www.gov.cn and the State Administration for Market Regulation print it above the text. The document number
often stands nowhere else, so the rows that the body lacks are put before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import html

from crawlers.notice import PrintedDate
from crawlers.readers.markup import date_shaped

ISSUED = "成文日期"
PUBLISHED = "发布日期"
TITLE = "标题"
ISSUERS = ("发文机关", "所属机构")
_LABELS = frozenset(
    ("索引号", "主题分类", *ISSUERS, ISSUED, TITLE, "发文字号", "文号", PUBLISHED, "主题词", "公文时效")
)


def read_cells(cells: Iterable[str]) -> dict[str, str]:
    """Labels and their values from cells in page order: `发文字号：`, `国令第790号`, `发布日期：`, …

    Labels are spread with full-width spaces (`标　　题：`); the keys have neither spaces nor colon. A label
    without a value is left out, and so is a cell that follows no known label.
    """
    table: dict[str, str] = {}
    label: str | None = None
    for cell in cells:
        bare = _squeezed(cell).rstrip("：:")
        if bare in _LABELS:
            label = bare
        elif label is not None and bare and not _names_a_date(bare):
            table.setdefault(label, cell.strip())
            label = None
    return table


def _names_a_date(cell: str) -> bool:
    """Whether a cell holds another label: rows have run together, and no value in it can be told from the next."""
    return any(f"{label}：" in cell for label in (ISSUED, PUBLISHED))


def is_shown(root: html.HtmlElement) -> bool:
    """Whether a page has such a table at all: cells that are its first labels and nothing else."""
    cells = {_squeezed(node.text_content()).rstrip("：:") for node in root.iter("td", "th", "h2", "li", "b")}
    return {"索引号", ISSUED} <= cells


def read_dates(table: dict[str, str]) -> tuple[PrintedDate, ...]:
    """When the document was put on the page, then when it was issued (signed): two different dates."""
    published, issued = date_shaped(table.get(PUBLISHED, "")), date_shaped(table.get(ISSUED, ""))
    dates = []
    if published:
        dates.append(PrintedDate(published, f"labelled text {PUBLISHED}"))
    if issued:
        dates.append(PrintedDate(issued, f"labelled text {ISSUED}", meaning="issued"))
    return tuple(dates)


def put_before(table: dict[str, str], text: str) -> str:
    """The text with the rows of the table that it lacks as its first lines, `发文字号：国令第790号`."""
    known = _squeezed(text)
    rows = (f"{label}：{value}" for label, value in table.items())
    return "\n".join([*(row for row in rows if _squeezed(row) not in known), *([text] if text else [])])


def _squeezed(text: str) -> str:
    return "".join(text.split())
