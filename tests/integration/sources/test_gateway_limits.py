"""A gateway that is not the one agreed on, sends too much, or says what must not be repeated."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import json
import ssl
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.scripted_gateway import Answer, page_of, rows, serving
from tests.integration.sources.small_contract import CHANGES, http_source
from threegaps.errors import FeedError, SettingsError, SourceUnavailableError

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def changes(feed: SmallFeed) -> None:
    feed.comes_by(http_source(), CHANGES)


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for *name* that nobody but its own authority knows, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway of tests")])
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "gateway.pem", folder / "gateway.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def small(_: str, content: dict[str, Any]) -> Answer:
    return {"total": 7, "rows": page_of(rows(7), content)}


def test_real_departments_are_asked_by_https_only(feed: SmallFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    with serving(small) as gateway:
        feed.at(gateway)
        with pytest.raises(SettingsError, match="in plain text"):
            feed.land()
        assert gateway.asked == []


def test_a_certificate_must_be_of_a_known_authority_and_for_this_name(
    feed: SmallFeed, tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    authority, context = certificate(tmp_path, "127.0.0.1")
    with serving(small, tls=context) as gateway:
        feed.at(gateway, schema="https")
        with pytest.raises(FeedError, match="certificate is not accepted") as told:
            feed.land()
        assert not isinstance(told.value, SourceUnavailableError)
        assert waits == []
        feed.at(gateway, schema="https", extra={"ca_file": str(authority)})
        feed.land()
    assert feed.landed() == ["window"]
    other, context = certificate(tmp_path, "elsewhere.example")
    with serving(small, tls=context) as gateway:
        feed.at(gateway, schema="https", extra={"ca_file": str(other)})
        with pytest.raises(FeedError, match="certificate is not accepted"):
            feed.land("2026-07")
        assert gateway.asked == []
        feed.at(gateway, schema="https", extra={"ca_file": str(tmp_path / "none.pem")})
        with pytest.raises(SettingsError, match="file of certificates"):
            feed.land("2026-07")


def test_a_server_without_tls_is_no_https_gateway(feed: SmallFeed, waits: list[float]) -> None:
    with serving(small) as gateway:
        feed.at(gateway, schema="https")
        with pytest.raises(FeedError, match="does not speak TLS"):
            feed.land()
    assert waits == []


def test_nothing_sends_us_elsewhere(feed: SmallFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serving(small) as other,
        serving(lambda *_: (302, {"Location": f"http://127.0.0.1:{other.port}/"}, b"")) as one,
    ):
        feed.at(one)
        with pytest.raises(FeedError, match=r"HTTP 302.*another address"):
            feed.land()
        # A proxy of the process is not taken for one that was agreed on.
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{one.port}")
        feed.at(other)
        feed.land()
    assert feed.landed() == ["window"]


def packed_answer(content: bytes, packing: str) -> Answer:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[packing]
    return (200, {"Content-Encoding": packing}, pack(content))


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_packed_answers_are_read(feed: SmallFeed, packing: str) -> None:
    whole = json.dumps({"status": 1, "data": {"total": 7, "rows": rows(7)}}).encode()
    with serving(lambda *_: packed_answer(whole, packing)) as gateway:
        feed.at(gateway)
        feed.land()
    assert len(feed.landed_ids()) == 7


@pytest.mark.parametrize("packing", ["gzip", "deflate", None])
def test_an_answer_beyond_the_declared_size_is_refused(feed: SmallFeed, packing: str | None) -> None:
    feed.comes_by(http_source(largestAnswerMib=1), CHANGES)
    huge = b'{"status":1,"data":"' + b" " * (40 << 20) + b'"}'
    with serving(lambda *_: huge if packing is None else packed_answer(huge, packing)) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match="more than 1 MiB"):
            feed.land()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "cut off or no JSON"),
        ("培训".encode("gb18030"), "cut off or no JSON"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}" * 50)[:-9]), "half an answer"),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "packing is damaged"),
        ((503, {}, b""), "HTTP 503"),
    ],
)
def test_what_is_no_answer_is_asked_for_again_and_then_given_up(
    feed: SmallFeed, waits: list[float], answer: Answer, words: str
) -> None:
    with serving(lambda *_: answer) as gateway:
        feed.at(gateway)
        with pytest.raises(SourceUnavailableError, match=words):
            feed.land()
    assert len(waits) == 4
    assert feed.landed() == []


@pytest.mark.parametrize("depth", [40, 100_000])
def test_an_answer_without_end_is_none(feed: SmallFeed, depth: int) -> None:
    with serving(lambda *_: b'{"status":1,"data":' + b"[" * depth + b"]" * depth + b"}") as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match="no object at the step"):
            feed.land()
    assert feed.landed() == []


def test_a_packing_that_nobody_asked_for_is_refused(feed: SmallFeed) -> None:
    with serving(lambda *_: (200, {"Content-Encoding": "br"}, b"?")) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match="not asked for"):
            feed.land()


@pytest.mark.parametrize(
    ("asked_for", "waited"),
    [
        ("7", 7.0),
        ("86400", 60.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 2100 00:00:00 GMT", 60.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("٣", 1.0),
    ],
)
def test_a_wait_that_is_asked_for_is_kept_within_bounds(
    feed: SmallFeed, waits: list[float], asked_for: str, waited: float
) -> None:
    first = iter([True])

    def busy(interface: str, content: dict[str, Any]) -> Answer:
        if next(first, False):
            return (429, {"Retry-After": asked_for.encode().decode("latin-1")}, b"")
        return small(interface, content)

    with serving(busy) as gateway:
        feed.at(gateway)
        feed.land()
    assert waits == [waited]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("王小明 339900199001011234 无权限", r"by a message of \d+ characters"),
        ("参数错误: 王小明", "参数错误"),
        ("接口不存在", "接口不存在"),
        ("应用不存在", "does not accept our login: 应用不存在"),
        ("", "without a message"),
    ],
)
def test_what_the_gateway_says_is_recognised_and_not_repeated(
    feed: SmallFeed, waits: list[float], message: str, words: str
) -> None:
    with serving(lambda *_: json.dumps({"status": 0, "msg": message}).encode()) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match=words) as told:
            feed.land()
    assert "王小明" not in str(told.value)
    assert "3399" not in str(told.value)
    assert waits == []
