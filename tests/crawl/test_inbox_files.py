"""What people drop into the inbox folder may be broken; it must cost no other file and no other link."""

from __future__ import annotations

import errno
import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawlers.inbox_links import (
    InboxError,
    add_links,
    find_links,
    read_dropped_file,
    read_folder,
    waiting_links,
)

GOOD = "https://www.court.gov.cn/fabu/xiangqing/512961.html"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty inbox folder."""
    path = tmp_path / "drop"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    "junk", ["http://…", "http://...", "https:///path", "http://[bad", "http://a:99999/", "http://%zz/"]
)
def test_what_leads_nowhere_is_no_link(junk: str) -> None:
    assert find_links(f"{junk} {GOOD}") == [GOOD]


@pytest.mark.parametrize(
    "link",
    [
        "http://[bad",
        "http://a b/",
        "http://a:99999/",
        "https:///x",
        "http://…",
        "http://x][::]",
        "http://::\\@1",
        "http://a..b/",
        "http://me:word@example.org/",
    ],
)
def test_a_link_that_leads_nowhere_is_refused_by_hand(engine: Engine, link: str) -> None:
    with pytest.raises(InboxError, match="nothing was added"):
        add_links(engine, [GOOD, link], "test")
    assert waiting_links(engine) == []


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:8080/a", "https://例子.cn/a", "http://[2001:db8::1]/a", "https://a.cn"]
)
def test_every_host_that_could_be_asked_makes_a_link(engine: Engine, link: str) -> None:
    assert len(add_links(engine, [link], "test").new) == 1


@pytest.mark.parametrize(
    "end", ["！以及", "？", "…", "」", "谢谢", "\N{REPLACEMENT CHARACTER}", "\x00", "，", ")。", ". "]
)
def test_a_link_ends_where_the_sentence_goes_on(end: str) -> None:
    assert find_links(f"「{GOOD}{end}{GOOD}{end}") == [GOOD]


def test_a_bracket_that_a_link_opened_is_part_of_it() -> None:
    assert find_links("(HTTPS://example.org/a_(b)) (https://example.org/c)") == [
        "HTTPS://example.org/a_(b)",
        "https://example.org/c",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_text_is_read_in_the_encodings_of_windows(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "links.txt"
    file.write_bytes(f"请看{GOOD}\r\n".encode(encoding))
    assert find_links(read_dropped_file(file)) == [GOOD]


def test_more_links_than_a_statement_takes_are_added(engine: Engine) -> None:
    links = [f"https://example.org/{number}" for number in range(66_000)]
    assert len(add_links(engine, links, "test").new) == 66_000


def encoded(number: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "staff@example.org"
    mail["Subject"] = "文章"
    # So long that quoted-printable breaks it.
    mail.set_content(f"看 https://example.org/{'long' * 30}?id={number}\n", cte="quoted-printable")
    return mail


def test_every_mail_of_an_mbox_is_read(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "saved")
    for number in (1, 2):
        box.add(encoded(number))
    box.close()
    assert find_links(read_dropped_file(tmp_path / "saved")) == [
        f"https://example.org/{'long' * 30}?id={number}" for number in (1, 2)
    ]


def test_a_mail_that_is_named_otherwise_is_read_as_one(tmp_path: Path) -> None:
    file = tmp_path / "mail.txt"
    file.write_bytes(encoded(3).as_bytes())
    assert find_links(read_dropped_file(file)) == [f"https://example.org/{'long' * 30}?id=3"]


def test_a_text_that_begins_like_a_mail_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "links.txt"
    file.write_text(f"From {GOOD}\nSee: https://example.org/x\n", "utf-8")
    assert find_links(read_dropped_file(file)) == [GOOD, "https://example.org/x"]


def test_a_file_full_of_junk_costs_no_other(engine: Engine, folder: Path) -> None:
    (folder / "a.txt").write_text("http://[bad http://...", "utf-8")
    (folder / "b.txt").write_text(GOOD, "utf-8")
    assert {name: len(added.new) for name, added in read_folder(engine, folder).items()} == {
        "a.txt": 0,
        "b.txt": 1,
    }


def test_the_ampersands_of_a_link_in_an_html_mail_are_read_as_such(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "文章"
    mail.set_content(
        '<a href="https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&amp;mid=1&amp;idx=1">看</a>',
        subtype="html",
    )
    file = tmp_path / "mail.eml"
    file.write_bytes(mail.as_bytes())
    assert find_links(read_dropped_file(file)) == [
        "https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&mid=1&idx=1"
    ]


@pytest.mark.parametrize("charset", ["x-none", "idna", "base64"])
def test_a_mail_in_an_unknown_character_set_is_refused_by_name(tmp_path: Path, charset: str) -> None:
    file = tmp_path / "mail.eml"
    file.write_text(f"Subject: x\nContent-Type: text/plain; charset={charset}\n\n{GOOD}é\n", "utf-8")
    with pytest.raises(InboxError, match=rf"mail\.eml.*'{charset}'"):
        read_dropped_file(file)


def test_a_file_that_cannot_be_renamed_gives_its_links_and_is_reported(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (folder / "a.txt").write_text(GOOD, "utf-8")
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(InboxError, match=r"a\.txt: its links were taken, but it can't be renamed"):
        read_folder(engine, folder)
    assert [url for _, url in waiting_links(engine)] == [GOOD]


def test_a_second_file_of_a_name_does_not_replace_the_first(engine: Engine, folder: Path) -> None:
    for number in (1, 2, 3):
        (folder / "links.txt").write_text(f"https://www.example.org/{number}.html", encoding="utf-8")
        assert len(read_folder(engine, folder)["links.txt"].new) == 1
    kept = [path.read_text("utf-8")[-6] for path in sorted(folder.glob("links.txt*.read"))]
    assert sorted(kept) == ["1", "2", "3"]


def test_the_messages_of_a_maildir_are_taken_once_and_kept(engine: Engine, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    (tmp_path / "box" / "dovecot.index").write_text("https://example.org/no", "utf-8")
    (tmp_path / "box" / "tmp" / "unfinished").write_text("https://example.org/no", "utf-8")
    for number, (part, flags) in enumerate([("new", ""), ("cur", "S"), ("cur", "")]):
        mail = mailbox.MaildirMessage(f"Subject: a\n\nhttps://example.org/{number}\n")
        mail.set_subdir(part)
        mail.set_flags(flags)
        box.add(mail)
    broken = box.add(b"Content-Type: text/plain; charset=x-none\n\nhttps://example.org/3\n")
    with pytest.raises(InboxError, match="'x-none'"):
        read_folder(engine, tmp_path / "box")
    assert sorted(url for _, url in waiting_links(engine)) == [f"https://example.org/{n}" for n in range(3)]
    assert list(box.keys()) == [broken]
    assert len(box.get_folder("read")) == 3
    assert (tmp_path / "box" / "dovecot.index").is_file()


def test_a_message_is_not_moved_over_another(engine: Engine, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    key = box.add(f"Subject: a\n\n{GOOD}\n".encode())
    box.add_folder("read")
    kept = tmp_path / "box" / ".read" / "new" / key
    kept.write_text("an earlier one", "utf-8")
    with pytest.raises(InboxError, match="its links were taken, but it can't be renamed"):
        read_folder(engine, tmp_path / "box")
    assert (kept.read_text("utf-8"), list(box.keys())) == ("an earlier one", [key])
