"""Every recorded page is read as its expected.json says.

A missing expected.json is written and the test fails, until somebody has read it and committed it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawlers.inspection import describe_page
from crawlers.replay import find_recordings, read_recording

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
NOTES = sorted(SAMPLES.rglob("page.json"))
# Facts have tests of their own, and the hash follows from the file.
LEFT_OUT = ("facts", "sha256")


@pytest.mark.parametrize("note", NOTES, ids=lambda note: str(note.parent.relative_to(SAMPLES)))
def test_a_recorded_page_is_read_as_expected(note: Path) -> None:
    shown = describe_page(read_recording(note).open_page())
    found = {key: value for key, value in shown.items() if key not in LEFT_OUT}
    expected = note.with_name("expected.json")
    if not expected.exists():
        expected.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        pytest.fail(
            f"{expected.relative_to(SAMPLES)} was missing and has been written: read it, then commit it"
        )
    assert found == json.loads(expected.read_text("utf-8"))


def test_no_url_is_recorded_twice() -> None:
    urls = [recording.url for recording in find_recordings(SAMPLES)]
    assert sorted(urls) == sorted(set(urls))


def test_every_folder_of_pages_has_a_note() -> None:
    pages = {path.parent for path in SAMPLES.rglob("page.*")}
    assert pages == {note.parent for note in NOTES}
