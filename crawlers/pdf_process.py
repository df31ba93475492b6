"""PDFium in a process of its own, with bounded time and memory.

A PDF of a few kilobytes can hold a page that takes PDFium minutes and gigabytes, and damaged ones have crashed it.
Here such a file costs the process that reads it, and nothing else: the next file starts another.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from threading import Lock

SECONDS = 20
"""Of a processor, for one file; hundreds of pages take one or two."""
_BYTES = 1 << 30  # of address space, of which Python and PDFium themselves take a fifth

_process: subprocess.Popen[bytes] | None = None
# The process reads one file at a time, and PDFium may be used by one thread only (public/fpdfview.h).
_turn = Lock()


def read_pdf_pages(
    body: bytes, most_pages: int, most_characters: int, *, seconds: int = SECONDS
) -> list[str] | None:
    """The text of each page, or None for a file that is broken, encrypted, larger than allowed, or takes too much."""
    global _process
    with _turn:
        if _process is not None and _process.poll() is not None:
            _end()  # it ended between two files, which is no fault of the next one
        if _process is None:
            _process = _start()
        process = _process
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        with contextlib.suppress(BrokenPipeError):  # it has ended: there is no answer either
            process.stdin.write(b"%d %d %d %d\n" % (len(body), most_pages, most_characters, seconds))
            process.stdin.write(body)
            process.stdin.flush()
            answer = process.stdout.readline()
        if not answer.endswith(b"\n"):
            _end()
            return None
    pages: list[str] | None = json.loads(answer)
    return pages


def _start() -> subprocess.Popen[bytes]:
    # -P: the same modules as here, whatever the working folder holds.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from crawlers.pdf_process import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # PDFium's own words about damaged files
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


@atexit.register
def _end() -> None:
    global _process
    process, _process = _process, None
    if process is None:
        return
    process.kill()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    process.wait()


def serve() -> None:
    """Answer each file on standard input with a line of JSON on standard output, until the input ends."""
    # Ctrl-C reaches every process of a terminal, and SIGTERM may reach every process of a service; the crawl still
    # reads what it has fetched.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while asked := sys.stdin.buffer.readline():
        length, most_pages, most_characters, seconds = map(int, asked.split())
        body = sys.stdin.buffer.read(length)
        # Past it the system ends the process, also where nobody is left to wait for it.
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        pages = _read(body, most_pages, most_characters)
        sys.stdout.buffer.write(json.dumps(pages).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


def _read(body: bytes, most_pages: int, most_characters: int) -> list[str] | None:
    import pypdfium2  # in this process only: five megabytes
    from pypdfium2 import PdfiumError

    try:
        document = pypdfium2.PdfDocument(body)
    except PdfiumError:
        return None
    try:
        if len(document) > most_pages:
            return None
        texts: list[str] = []
        for page in document:
            text_page = page.get_textpage()
            texts.append(str(text_page.get_text_bounded()))
            text_page.close()
            page.close()
            if sum(map(len, texts)) > most_characters:
                return None
        return texts
    except PdfiumError:
        return None
    finally:
        document.close()
