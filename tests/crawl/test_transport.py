"""How requests travel: proxies by name, and the TLS of older servers."""

from __future__ import annotations

import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from configuration import load_configuration
from crawlers.source import Source
from crawlers.transport import Transport, group_sources
from errors import ConfigurationError
from tests.command import iprwatch
from tests.crawl.test_live import RECORDS, answer
from tests.loopback import Said, serve

SOURCE = """[cnipa_{what}]
reader = "hanweb"
url = "{url}"
name_zh = "例"
name_en = "Example"
publisher_zh = "例"
publisher_en = "Example"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true
{further}
"""


def watch(folder: Path, settings: str, *sources: tuple[str, str, str]) -> None:
    """Watch lists, each with its name, address and further keys."""
    (folder / "sources.toml").write_text(
        "\n".join(SOURCE.format(what=what, url=url, further=further) for what, url, further in sources),
        "utf-8",
    )
    (folder / "iprwatch.toml").write_text(
        'data = "data"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\ndelay = 0\n'
        f'contact = "monitor@example.org"\n{settings}',
        "utf-8",
    )


def through_proxy(path: str, n: int) -> Said:
    """A site, asked for itself or as a proxy, with the same list under two addresses."""
    return answer(path.replace("http://news.example", "").replace("&x=1", ""), n)


def test_each_source_takes_its_proxy_and_its_login_stays_secret(tmp_path: Path) -> None:
    with serve(through_proxy) as common, serve(through_proxy) as own, serve(answer) as site:
        watch(
            tmp_path,
            f'allowed_private = ["{common.place}", "{own.place}", "{site.place}"]\nproxy = "office"\n'
            f'[proxies]\noffice = "{common.url}"\npaid = {{ env = "PAID" }}\n',
            ("common", f"http://news.example{RECORDS}", ""),
            ("own", f"http://news.example{RECORDS}&x=1", 'proxy = "paid"'),
            ("direct", f"{site.url}{RECORDS}", 'proxy = "direct"'),
        )
        paid = own.url.replace("http://", "http://user:secret-word@")
        ran = iprwatch("probe", "--json", cwd=tmp_path, PAID=paid)
    assert [found["verdict"] for found in ran.json] == ["as expected"] * 3, ran.out + ran.err
    for server in (common, own):
        assert [path.partition("/")[0] for path in server.paths()] == ["http:"] * 3
        assert "http://news.example/robots.txt" in server.paths()
    logins = {request.headers.get("proxy-authorization") for request in own.seen}
    assert logins == {"Basic " + b64encode(b"user:secret-word").decode()}
    assert all("proxy-authorization" not in request.headers for request in [*common.seen, *site.seen])
    assert len(site.pages()) == 2
    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"secret-word" in content for content in stored)
    assert "secret-word" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('proxy = "no"', "proxy: no proxy is called 'no'"),
        (
            '[proxies]\na = "socks5://127.0.0.1:1"',
            r"proxies\.a: the address of a proxy reads http://host:port",
        ),
        ('[proxies]\ndirect = "http://127.0.0.1:1"', r"proxies\.direct: this name means no proxy"),
        ('[proxies]\na = "http://user:word@127.0.0.1:1"', r"proxies\.a: a login must not stand in the file"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(tmp_path: Path, settings: str, message: str) -> None:
    watch(tmp_path, settings)
    with pytest.raises(ConfigurationError, match=message) as told:
        load_configuration(tmp_path / "iprwatch.toml")
    assert "word@" not in str(told.value)


def test_a_source_names_a_proxy_that_is_there(tmp_path: Path) -> None:
    watch(tmp_path, "", ("own", "https://www.example.gov.cn/", 'proxy = "paid"'))
    with pytest.raises(ConfigurationError, match="'cnipa_own': proxy: no proxy is called 'paid'"):
        load_configuration(tmp_path / "iprwatch.toml")


def test_sources_that_travel_alike_are_crawled_together() -> None:
    source = Source(
        key="cnipa_a", reader="hanweb", url="https://www.example.gov.cn/", name_zh="例", name_en="a",
        publisher_zh="例", publisher_en="a", topics=(), crontab="0 9 * * *", least=1, proven=False,
    )  # fmt: skip
    old = source.model_copy(update={"legacy_tls": True})
    assert group_sources([source, old, source]) == {
        Transport("", legacy_tls=False): [source, source],
        Transport("", legacy_tls=True): [old],
    }


def weak_certificate(folder: Path) -> Path:
    """Key and certificate of 1024 bits for localhost: OpenSSL's usual level refuses them."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = folder / "pair.pem"
    pair.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pair


def test_an_old_server_is_read_where_its_source_says_so(tmp_path: Path) -> None:
    pair = weak_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(pair)
    with serve(through_proxy) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        old, elsewhere = f"https://localhost:{server.port}", f"https://127.0.0.1:{server.port}"
        watch(
            tmp_path,
            f'allowed_private = ["localhost:{server.port}", "{server.place}"]\n',
            ("usual", f"{old}{RECORDS}", ""),
            ("old", f"{old}{RECORDS}&x=1", "legacy_tls = true"),
            ("wrong_name", f"{elsewhere}{RECORDS}", "legacy_tls = true"),
        )
        ran = iprwatch("probe", "--json", cwd=tmp_path, SSL_CERT_FILE=str(pair))
    assert [found["verdict"] for found in ran.json] == ["down", "as expected", "down"], ran.out + ran.err
