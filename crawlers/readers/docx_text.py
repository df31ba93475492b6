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
_ENTRY = b"PK\x01\x02"  # begins each entry of an archive's directory
_MOST_FILES = 10_000
_MOST_BYTES = 50 * 1024 * 1024  # unpacked, of all files in the archive
_MOST_ELEMENTS = 1_000_000
_MOST_CHARACTERS = 3_000_000
_PIECE = 1 << 16  # bytes that are unpacked and read at a time
# What zipfile raises for damaged archives, missing files, unknown compression and encryption (both RuntimeError);
# ValueError for a directory that leads before the file's start, and for names that are no UTF-8.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, KeyError, RuntimeError, ValueError,
)  # fmt: skip
_SPACES = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LEFT_OUT = frozenset(("del", "moveFrom", "Fallback"))  # Fallback repeats its text box for older programs


class _TooMuchError(Exception):
    """The document is none that this reads: too much of something, or a document type. Raised and caught here only."""


def read_docx_text(body: bytes) -> str | None:
    """The text of a DOCX file, or None where it can't be had.

    None for a broken or encrypted file, for one that unpacks to more than 50 MB, 10,000 files or a million elements,
    for one with a document type (it may declare entities), for more than 3 million characters, and where there is no
    text in it. The document is read as it is unpacked: a few kilobytes can hold millions of elements.
    """
    if body.count(_ENTRY) > _MOST_FILES:
        return None
    text = _Text()
    parser = etree.XMLParser(target=text, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(file.file_size for file in archive.infolist()) > _MOST_BYTES:
                return None
            with archive.open(DOCUMENT) as file:
                read = 0
                while piece := file.read(_PIECE):
                    read += len(piece)
                    if read > _MOST_BYTES:  # a directory may state less than what the bytes unpack to
                        return None
                    parser.feed(piece)
        parser.close()
    except (*_BROKEN, etree.XMLSyntaxError, _TooMuchError):
        return None
    return tidy("".join(text.pieces)) or None


class _Text:
    """What the parser tells of a document, as text; raises _TooMuchError where that grows too long."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._elements = 0
        self._characters = 0
        self._left_out = 0
        self._in_text = False
        self._cells: list[int] = []

    def start(self, tag: str, _attributes: object) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _TooMuchError
        name = tag.rpartition("}")[2]
        self._in_text = False
        if name in _LEFT_OUT:
            self._left_out += 1
        elif self._left_out:
            return
        elif name == "tc":
            self._cells.append(len(self.pieces))
        elif name == "t":
            self._in_text = True
        elif name in _SPACES:
            self.pieces.append(_SPACES[name])

    def data(self, characters: str) -> None:
        if not self._in_text:
            return
        self._characters += len(characters)
        if self._characters > _MOST_CHARACTERS:
            raise _TooMuchError
        self.pieces.append(characters)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        self._in_text = False
        if name in _LEFT_OUT:
            self._left_out -= 1
        elif self._left_out:
            return
        elif name == "tc":
            self._close_cell(self._cells.pop())
        elif name in ("p", "tr"):
            self.pieces.append("\n")

    def doctype(self, *_named: object) -> None:
        raise _TooMuchError

    def close(self) -> None:
        pass

    def _close_cell(self, start: int) -> None:
        # A cell is made of paragraphs and may hold a table: these must not break the row. The outermost cell folds
        # the white space of those inside it too.
        if self._cells:
            return
        text = " ".join("".join(self.pieces[start:]).split())
        self.pieces[start:] = [text, "\t"]
