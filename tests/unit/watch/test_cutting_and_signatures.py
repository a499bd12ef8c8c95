"""Texts within limits in bytes, signatures against values that were computed otherwise, and codes of answers."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threegaps.watch.channels import dingtalk, webhook, wecom
from threegaps.watch.channels.cutting import CUT_MARK, cut_to_bytes
from threegaps.watch.channels.pace import Pace
from threegaps.watch.channels.posting import problem_of
from threegaps.watch.channels.robots import as_markdown, refuse
from threegaps.watch.message import ChannelError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(text=TEXTS, limit=st.integers(len(CUT_MARK.encode()), 120))
def test_a_text_fits_in_bytes_and_loses_only_its_end(text: str, limit: int) -> None:
    cut = cut_to_bytes(text, limit)
    assert len(cut.encode()) <= limit
    if len(text.encode()) <= limit:
        assert cut == text
        return
    assert cut.endswith(CUT_MARK)
    kept = cut.removesuffix(CUT_MARK)
    assert text.startswith(kept)
    # No character more would have fitted.
    assert len(kept.encode()) + len(text[len(kept)].encode()) + len(CUT_MARK.encode()) > limit


def hmac_sha256(key: bytes, text: bytes) -> bytes:
    """RFC 2104 by hand."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    key = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), milliseconds=st.integers(0, 10**14))
def test_dingtalks_signature_is_that_of_its_documentation(secret: str, milliseconds: int) -> None:
    signed = hmac_sha256(secret.encode(), str(milliseconds).encode() + b"\n" + secret.encode())
    assert base64.b64decode(dingtalk.signature(secret, milliseconds), validate=True) == signed


def test_dingtalks_signature_of_its_own_example() -> None:
    # The example of its documentation, "this is secret", at a fixed instant; computed with OpenSSL:
    # printf '1700000000000\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    assert dingtalk.signature("this is secret", 1_700_000_000_000) == "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), at=st.integers(0, 10**11), body=st.binary()
)
def test_the_webhooks_signature_covers_instant_and_body(secret: str, at: int, body: bytes) -> None:
    made = dict(part.split("=") for part in webhook.signature(secret, at, body).split(","))
    assert made == {"t": str(at), "v1": hmac_sha256(secret.encode(), str(at).encode() + b"." + body).hex()}


@given(text=TEXTS)
def test_markdown_shows_the_lines_and_no_mark_of_its_own(text: str) -> None:
    shown = as_markdown(text, "\n\n")
    assert not set(shown) & set("*`#<>[]|~\\")
    assert len(shown.split("\n\n")) >= len([line for line in text.split("\n") if line.strip()])


def test_twenty_a_minute_and_the_next_waits_as_long_as_it_must() -> None:
    now = 100.0
    pace = Pace(20, lambda: now)
    for _ in range(20):
        pace.take()
        now += 1
    with pytest.raises(ChannelError, match="20 messages") as raised:
        pace.take()
    assert (raised.value.retry_after_seconds, raised.value.is_final) == (40, False)
    now += 40
    pace.take()
    with pytest.raises(ChannelError):
        pace.take()


@pytest.mark.parametrize(
    ("code", "codes", "is_final", "pause"),
    [
        (310000, dingtalk.CODES, True, None),
        (130101, dingtalk.CODES, False, 600.0),
        (400102, dingtalk.CODES, True, None),
        (-1, dingtalk.CODES, False, None),
        (45009, wecom.CODES, False, 60.0),
        (93000, wecom.CODES, True, None),
        (40058, wecom.CODES, True, None),
        (123456, wecom.CODES, False, None),
    ],
)
def test_a_code_is_final_or_passing(
    code: int, codes: dict[int, wecom.Code], is_final: bool, pause: float | None
) -> None:
    with pytest.raises(ChannelError, match=f"errcode {code}") as raised:
        refuse("The robot", code, codes)
    assert (raised.value.is_final, raised.value.retry_after_seconds) == (is_final, pause)
    refuse("The robot", 0, codes)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://tickets.example.gov.cn/hook", None),
        ("https://tickets.example.gov.cn:8443/hook?team=7", None),
        ("http://127.0.0.1:8000/hook", None),
        ("http://[::1]:8000/hook", None),
        ("http://tickets.example.gov.cn/hook", "not encrypted"),
        ("http://127.0.0.1.example.com/", "not encrypted"),
        ("ftp://tickets.example.gov.cn/", "https"),
        ("https://user:password@tickets.example.gov.cn/", "names a user"),
        ("https:///hook", "no address"),
        ("https://tickets.example.gov.cn:port/", "no address"),
        ("https://tickets.example.gov.cn/a b", "no address"),
        ("https://tickets.example.gov.cn/\r\nX: y", "no address"),
        ("https://[::1/", "no address"),
    ],
)
def test_where_may_be_posted_to(url: str, problem: str | None) -> None:
    found = problem_of(url)
    assert (found is None) == (problem is None)
    assert problem is None or problem in (found or "")
