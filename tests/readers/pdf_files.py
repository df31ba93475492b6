"""PDF files for tests: pages of given lines, in a Chinese font that is named and not embedded."""

from __future__ import annotations

from collections.abc import Sequence

_FONT = (
    b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[2 0 R]>>",
    b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000/FontDescriptor 3 0 R"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>",
    b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[-25 -254 1000 880]"
    b"/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 93>>",
)


def make_pdf(*pages: Sequence[str]) -> bytes:
    """A PDF file of those pages; a line of text each 20 points."""
    contents = []
    for lines in pages:
        shown = b"\n".join(
            b"1 0 0 1 60 %d Tm <%s> Tj" % (780 - 20 * number, line.encode("utf-16-be").hex().encode())
            for number, line in enumerate(lines)
        )
        contents.append(b"BT /F1 12 Tf\n" + shown + b"\nET")
    return make_pdf_of_content(*contents)


def make_pdf_of_content(*contents: bytes, packed: bytes = b"") -> bytes:
    """A PDF file of a page for each content stream; `packed` names the filter that unpacks them."""
    objects = list(_FONT)
    pages_at = len(objects) + 2 * len(contents) + 1
    for content in contents:
        objects.append(b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), packed, content))
        objects.append(
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
            b"/Resources<</Font<</F1 1 0 R>>>>>>" % (pages_at, len(objects))
        )
    kids = b" ".join(b"%d 0 R" % (len(_FONT) + 2 * number + 2) for number in range(len(contents)))
    objects.append(b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(contents), kids))
    objects.append(b"<</Type/Catalog/Pages %d 0 R>>" % pages_at)
    return _file_of(objects)


def _file_of(objects: Sequence[bytes]) -> bytes:
    file = bytearray(b"%PDF-1.4\n")
    starts = []
    for number, content in enumerate(objects, 1):
        starts.append(len(file))
        file += b"%d 0 obj" % number + content + b"\nendobj\n"
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for start in starts:
        file += b"%010d 00000 n \n" % start
    file += b"trailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        table,
    )
    return bytes(file)
