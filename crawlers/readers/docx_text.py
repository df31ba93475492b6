"""The text of a DOCX file, one paragraph a line, cells of a table row separated by tabs.

Format: ECMA-376 part 1 (WordprocessingML), a ZIP archive with the main text in `word/document.xml`. Headers,
footers, notes and text that a tracked change deleted are left out.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib

from lxml import etree

from crawlers.readers.body import tidy

DOCUMENT = "word/document.xml"
"""The file in the archive that makes it a DOCX."""
_MOST_BYTES = 50 * 1024 * 1024  # unpacked, of all files in the archive
_MOST_CHARACTERS = 3_000_000
# What zipfile raises for damaged archives, missing files, unknown compression and encryption (both RuntimeError);
# ValueError for a directory that leads before the file's start, and for names that are no UTF-8.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, KeyError, RuntimeError, ValueError,
)  # fmt: skip
_SPACES = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LEFT_OUT = frozenset(("del", "moveFrom", "Fallback"))  # Fallback repeats its text box for older programs


def read_docx_text(body: bytes) -> str | None:
    """The text of a DOCX file, or None where it can't be had.

    None for a broken or encrypted file, for one that unpacks to more than 50 MB, for one with a document type (it
    may declare entities), for more than 3 million characters, and where there is no text in it.
    """
    source = _unpack(body)
    if source is None:
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(source, parser=parser)
    except etree.XMLSyntaxError:
        return None
    if root.getroottree().docinfo.doctype:
        return None
    text = tidy(_read(root))
    return text if 0 < len(text) <= _MOST_CHARACTERS else None


def _unpack(body: bytes) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(file.file_size for file in archive.infolist()) > _MOST_BYTES:
                return None
            with archive.open(DOCUMENT) as file:
                # A directory may state less than what the bytes unpack to.
                source = file.read(_MOST_BYTES + 1)
    except _BROKEN:
        return None
    return source if len(source) <= _MOST_BYTES else None


def _read(root: etree._Element) -> str:
    pieces: list[str] = []
    cells: list[int] = []
    left_out = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        name = etree.QName(node).localname
        if name in _LEFT_OUT:
            left_out += 1 if event == "start" else -1
        elif left_out:
            continue
        elif event == "start" and name == "tc":
            cells.append(len(pieces))
        elif event == "start" and name == "t":
            pieces.append(node.text or "")
        elif event == "start" and name in _SPACES:
            pieces.append(_SPACES[name])
        elif event == "end" and name == "tc":
            _close_cell(pieces, cells.pop())
        elif event == "end" and name in ("p", "tr"):
            pieces.append("\n")
    return "".join(pieces)


def _close_cell(pieces: list[str], start: int) -> None:
    # A cell is made of paragraphs and may hold a table: these must not break the row.
    text = " ".join("".join(pieces[start:]).split())
    pieces[start:] = [text, "\t"]
