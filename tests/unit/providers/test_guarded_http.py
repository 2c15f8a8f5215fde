"""Fetching from addresses other people chose: never inwards, never without end, never more than the limit."""

import gzip
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, checked_parts, is_public, resolve
from tests.peers.feeds import Peer, feed_peer, rss

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def peer() -> Iterator[Peer]:
    with feed_peer() as started:
        yield started


def http(peer: Peer, seconds: float = 10.0, largest: int = 100_000) -> GuardedHttp:
    return GuardedHttp(trusted={peer.host}, seconds=seconds, largest=largest)


def refusal(client: GuardedHttp, url: str) -> str:
    with pytest.raises(Refused) as refused:
        client.get(url)
    return refused.value.code


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_no_address_of_our_own_networks_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.140", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.req("S4")
def test_loopback_is_refused_in_every_spelling(peer: Peer) -> None:
    peer.serve("/", rss("inside"))
    port = peer.host.rpartition(":")[2]
    client = GuardedHttp()
    for host in (
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ):
        assert refusal(client, f"http://{host}:{port}/") in {"private_address", "no_such_host"}, host
    assert peer.requests == []


@pytest.mark.req("S4")
def test_a_name_is_refused_if_any_of_its_addresses_is_inside(peer: Peer) -> None:
    client = GuardedHttp(resolver=lambda _host, _port: ["8.8.8.8", "127.0.0.1"])
    assert refusal(client, "http://two-faced.example/") == "private_address"


@pytest.mark.req("S4")
def test_the_checked_address_is_the_one_connected_to(peer: Peer) -> None:
    """A name that resolves to something else a moment later gains nothing: it is resolved once."""
    peer.serve("/feed", rss("one"))
    port = int(peer.host.rpartition(":")[2])
    answers = iter([["127.0.0.1"], ["203.0.113.1"]])
    client = GuardedHttp(trusted={f"rebinding.example:{port}"}, resolver=lambda _host, _port: next(answers))
    assert client.get(f"http://rebinding.example:{port}/feed").status == 200
    assert peer.requests[0][1]["host"] == f"rebinding.example:{port}"
    assert next(answers) == ["203.0.113.1"]


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)",
        "/relative", "http://", "http:///path", "https://user:secret@example.com/", "https://user@example.com/",
        "http://example.com:99999/", "http://[::1", "",
    ],
)  # fmt: skip
def test_only_plain_web_addresses_are_fetched(url: str) -> None:
    assert refusal(GuardedHttp(), url) == "bad_address"


@given(st.text(max_size=60))
def test_no_text_whatever_makes_checking_fail_in_another_way(text: str) -> None:
    try:
        parts = checked_parts(text)
    except Refused:
        return
    assert parts.scheme in {"http", "https"}


@pytest.mark.req("S4")
def test_a_redirect_is_checked_like_any_address(peer: Peer) -> None:
    inside = "127.0.0.1:1"
    for number, target in enumerate((f"http://{inside}/", "file:///etc/passwd", "//169.254.169.254/latest/")):
        peer.serve(f"/{number}", b"", 302, Location=target)
        assert refusal(http(peer), peer.url(f"/{number}")) in {"private_address", "bad_address"}


def test_redirects_within_the_web_are_followed_to_an_end(peer: Peer) -> None:
    peer.serve("/old", b"moved", 301, Location="/new")
    peer.serve("/new", rss("found"))
    response = http(peer).get(peer.url("/old"))
    assert (response.status, response.url) == (200, peer.url("/new"))
    peer.serve("/round", b"", 302, Location="/round")
    assert refusal(http(peer), peer.url("/round")) == "too_many_redirects"


@pytest.mark.req("S4", "X4")
def test_no_answer_is_larger_than_the_limit(peer: Peer) -> None:
    peer.serve("/large", bytes(100_001))
    peer.serve("/exact", bytes(100_000))
    peer.serve_bomb("/bomb", 50_000_000)
    peer.serve_bomb("/deflated", 50_000_000, encoding="deflate")
    assert refusal(http(peer), peer.url("/large")) == "too_large"
    assert len(http(peer).get(peer.url("/exact")).content) == 100_000
    assert refusal(http(peer), peer.url("/bomb")) == "too_large"
    assert refusal(http(peer), peer.url("/deflated")) == "unknown_encoding"


@pytest.mark.req("S4")
def test_an_answer_without_a_length_is_bounded_too(peer: Peer) -> None:
    def endless(request: object) -> None:
        wfile = request.wfile  # type: ignore[attr-defined]
        wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            wfile.write(bytes(65_536))

    peer.pages["/endless"] = endless
    assert refusal(http(peer), peer.url("/endless")) == "too_large"


@pytest.mark.req("S4")
def test_an_answer_that_trickles_is_hung_up_on(peer: Peer) -> None:
    peer.serve_trickle("/slow", bytes(10_000), pause=0.02)
    assert refusal(http(peer, seconds=0.4), peer.url("/slow")) == "too_slow"


def test_headers_that_trickle_are_hung_up_on(peer: Peer) -> None:
    def slow(request: object) -> None:
        wfile = request.wfile  # type: ignore[attr-defined]
        wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(500):
            wfile.write(f"X-{number}: y\r\n".encode())
            wfile.flush()
            time.sleep(0.02)

    peer.pages["/slow-headers"] = slow
    assert refusal(http(peer, seconds=0.3), peer.url("/slow-headers")) == "too_slow"


def test_an_answer_that_ends_early_is_no_answer(peer: Peer) -> None:
    peer.serve_cut("/cut", rss("half"))
    assert refusal(http(peer), peer.url("/cut")) in {"cut_short", "unreachable"}


def test_only_the_encoding_that_was_asked_for_is_undone(peer: Peer) -> None:
    peer.serve("/gzip", gzip.compress(rss("packed")), Content_Encoding="gzip")
    peer.serve("/br", b"...", Content_Encoding="br")
    peer.serve("/lie", rss("plain"), Content_Encoding="gzip")
    assert http(peer).get(peer.url("/gzip")).content == rss("packed")
    assert refusal(http(peer), peer.url("/br")) == "unknown_encoding"
    assert refusal(http(peer), peer.url("/lie")) == "bad_encoding"


def test_what_is_sent_is_what_a_polite_reader_sends(peer: Peer) -> None:
    peer.serve("/feed?q=1", rss("one"))
    client = GuardedHttp(trusted={peer.host}, user_agent="bellwether/test (owner@example.com)")
    client.get(peer.url("/feed?q=1"), {"If-None-Match": '"x"'})
    ((path, headers),) = peer.requests
    assert path == "/feed?q=1"
    assert headers["user-agent"] == "bellwether/test (owner@example.com)"
    assert headers["if-none-match"] == '"x"'
    assert "authorization" not in headers
    assert "cookie" not in headers


def test_addresses_cannot_smuggle_headers(peer: Peer) -> None:
    peer.serve("/", rss("one"))
    for url in (f"{peer.address}/a\r\nX-Evil: 1", f"{peer.address}/a b", f"{peer.address}/ü?é=\n"):
        try:
            http(peer).get(url)
        except Refused:
            continue
    assert not any("x-evil" in headers for _, headers in peer.requests)


def test_nobody_there_is_a_refusal_like_any_other() -> None:
    assert refusal(GuardedHttp(trusted={"127.0.0.1:1"}), "http://127.0.0.1:1/") == "unreachable"
    with pytest.raises(Refused):
        resolve("no-such-host.invalid", 80)


def certified(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts of a server that is `host`, and of a client that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.req("S4")
def test_the_certificate_has_to_be_the_hosts_though_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    server, client = certified(tmp_path, "feeds.example")
    with feed_peer(server) as peer:
        peer.serve("/feed", rss("one"))
        port = peer.host.rpartition(":")[2]
        trusted = {f"{host}.example:{port}" for host in ("feeds", "other")}

        def fetcher(tls: ssl.SSLContext | None) -> GuardedHttp:
            return GuardedHttp(trusted=trusted, resolver=lambda _host, _port: ["127.0.0.1"], tls=tls)

        assert fetcher(client).get(f"https://feeds.example:{port}/feed").content == rss("one")
        assert refusal(fetcher(client), f"https://other.example:{port}/feed") == "bad_certificate"
        assert refusal(fetcher(None), f"https://feeds.example:{port}/feed") == "bad_certificate"
