"""One signed request to the provincial gateway, and its answer within limits.

Where the departments are real (``THREEGAPS_SANDBOX=0``) only HTTPS is spoken. Certificates are always verified, against
the usual authorities or the connection's extra ``ca_file``; the process's proxies are not used (an agreed one is the
extra ``proxy``), and an answer that sends us to another address is refused.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import hmac
import json
import secrets
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from threegaps import connections
from threegaps.connections import Connection
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import JsonPagesFormat
from threegaps.contracts.options.sources import HttpSource
from threegaps.errors import ContractError, FeedError, SettingsError
from threegaps.landing.answers import AnswerError, parse_answer
from threegaps.settings import Settings
from threegaps.sources.retry import Retry
from threegaps.sources.trouble import (
    TransientError,
    certificate_fault,
    reason_of,
    refused_login,
    silence,
    untrusted,
)

_TIME_OUT = httpx.Timeout(60.0, connect=10.0)
_ANSWER_SECONDS = 600.0
_CHUNK_BYTES = 1 << 16
_NO_INTERFACE = "threegaps.none"

Refusal = Literal["login", "again", "interface", "parameter"]

# What the gateway says, and what it means; anything else that it says is not repeated.
_KNOWN_REFUSALS: Mapping[str, tuple[Refusal, str]] = {
    "签名错误": ("login", "签名错误 (the signature does not fit)"),
    "应用不存在": ("login", "应用不存在 (unknown application)"),
    "时间戳过期": ("again", "时间戳过期 (our clock or the gateway's is wrong)"),
    "随机串重复": ("again", "随机串重复 (a nonce was used twice)"),
    "访问过于频繁": ("again", "访问过于频繁 (too many requests)"),
    "接口不存在": ("interface", "接口不存在 (unknown interface)"),
    "参数错误": ("parameter", "参数错误 (a parameter is wrong)"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the gateway.

    Args:
        body: As it was sent, unpacked.
        document: What it says.
    """

    body: bytes
    document: Any


class GatewayClient:
    """Asks one gateway for one feed; see `open_client`."""

    def __init__(self, contract: Contract, connection: Connection, client: httpx.Client, retry: Retry) -> None:
        if not isinstance(contract.source, HttpSource) or not isinstance(contract.file_format, JsonPagesFormat):
            raise ContractError("The feed does not come by HTTP, in answers of JSON.", feed=contract.feed)
        self._contract = contract
        self._connection = connection
        self._client = client
        self._retry = retry
        self._path = contract.source.path
        self._encoding = contract.file_format.encoding
        self._most_bytes = contract.source.largest_answer_mib << 20

    def ask(self, interface: str, content: Mapping[str, Any]) -> Answer:
        """The answer of *interface*.

        Raises:
            FeedError: It refuses the request, or answers what cannot be an answer.
            SourceUnavailableError: It does not answer in spite of several attempts.
        """
        answer = self._retry.run(self._contract, lambda: self._ask_once(interface, content, may_refuse=False))
        assert answer is not None  # noqa: S101  # only a request that may be refused has no answer
        return answer

    def ask_beyond(self, interface: str, content: Mapping[str, Any]) -> Answer | None:
        """As `ask`, for a page of which it is likely that there is none; None where the gateway says so by refusing."""
        return self._retry.run(self._contract, lambda: self._ask_once(interface, content, may_refuse=True))

    def knock(self) -> None:
        """Sign a request for an interface that there is not: a gateway that knows us says so, and gives nothing out.

        Raises:
            FeedError: It does not take our signature, or does not show that it is the one agreed on.
            SourceUnavailableError: It does not answer.
        """
        self._retry.run(self._contract, lambda: self._ask_once(_NO_INTERFACE, {}, may_refuse=True))

    def _ask_once(self, interface: str, content: Mapping[str, Any], *, may_refuse: bool) -> Answer | None:
        body = self._post(interface, {"param": self._signed(interface, content)})
        try:
            document = parse_answer(body, self._encoding)
        except AnswerError as error:
            raise TransientError(
                f"The gateway's answer is {error}: half an answer, or none.", "网关的应答不完整或无法识别。"
            ) from None
        if not isinstance(document, dict) or str(document.get("status")) != "1":
            if may_refuse and _refusal_of(document) not in {"login", "again"}:
                return None
            self._refuse(interface, document)
        return Answer(body, document)

    def _post(self, interface: str, form: Mapping[str, str]) -> bytes:
        try:
            with self._client.stream("POST", self._path, data=form) as response:
                self._check_status(response, interface)
                return b"".join(self._unpacked(response, interface))
        except httpx.TimeoutException:
            raise TransientError(
                "The gateway did not answer in time.", "网关在规定时间内没有应答。", cause="timed_out"
            ) from None
        except httpx.TransportError as error:
            fault = certificate_fault(error)
            if fault is not None:
                raise untrusted(
                    self._contract,
                    *fault,
                    "ask the gateway's operator; a certificate of their own authority is named by the connection's"
                    " extra `ca_file`.",
                ) from None
            reason = reason_of(error)
            raise TransientError(
                f"The gateway cannot be reached: {reason.en}.", f"网关无法连接:{reason.zh}。", cause=reason.cause
            ) from None
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            raise FeedError(
                f"The gateway cannot be asked ({type(error).__name__}).",
                feed=self._contract.feed,
                connection_id=self._contract.connection_id,
                advice="check the address of the connection and the contract's path.",
            ) from None

    def _check_status(self, response: httpx.Response, interface: str) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise TransientError(
                "The gateway asks us to wait (429).", "网关要求稍后再试(429)。", retry_after=_seconds(response)
            )
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise refused_login(self._contract, f"HTTP {status}", f"HTTP {status}")
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            raise TransientError(
                f"The gateway has trouble (HTTP {status}).",
                f"网关自身故障(HTTP {status})。",
                retry_after=_seconds(response),
            )
        moved = " It sends us to another address, where nobody agreed to go." if response.is_redirect else ""
        raise FeedError(
            f"The gateway answers HTTP {status}.{moved}",
            feed=self._contract.feed,
            file=interface,
            advice=f"check the address of the connection {self._contract.connection_id!r} and the contract's path.",
        )

    def _unpacked(self, response: httpx.Response, interface: str) -> Iterator[bytes]:
        """The answer's bytes, unpacked piece by piece so that no more than the limit is ever held."""
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in {"identity", "", "gzip", "x-gzip", "deflate"}:
            raise self._unusable(
                "The gateway packs its answers in a way that was not asked for.", interface, "not_as_contracted"
            )
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packing not in {"identity", ""} else None
        left, deadline = self._most_bytes, time.monotonic() + _ANSWER_SECONDS
        for packed in response.iter_raw(_CHUNK_BYTES):
            try:
                chunk = packed if unpacker is None else unpacker.decompress(packed, left + 1)
            except zlib.error:
                raise TransientError(
                    "The gateway sent half an answer: its packing is damaged.", "网关的应答不完整:压缩数据损坏。"
                ) from None
            left -= len(chunk)
            if left < 0:
                raise self._unusable(
                    f"An answer holds more than {self._most_bytes >> 20} MiB.", interface, "limit_exceeded"
                )
            if time.monotonic() > deadline:
                raise TransientError(
                    "The gateway did not finish its answer in time.",
                    "网关未在规定时间内传完应答。",
                    cause="timed_out",
                )
            yield chunk
        if unpacker is not None and not unpacker.eof:
            raise TransientError(
                "The gateway sent half an answer: its packing is cut off.", "网关的应答不完整:压缩数据中断。"
            )

    def _unusable(self, message: str, interface: str, cause: str) -> FeedError:
        return FeedError(
            message,
            feed=self._contract.feed,
            file=interface,
            cause=cause,
            advice="ask the gateway's operator; larger answers are allowed by the contract's `largestAnswerMib`, or"
            " ask for smaller pages.",
        )

    def _refuse(self, interface: str, document: Any) -> None:
        kind, words = _refusal_of(document), _refusal_words(document)
        if kind == "again":
            raise TransientError(f"The gateway refused the request: {words}.", f"网关拒绝了请求:{words}。")
        if kind == "login":
            raise refused_login(self._contract, words, words)
        raise FeedError(
            f"The gateway refused the request: {words}",
            feed=self._contract.feed,
            file=interface,
            advice="compare the contract's interface and parameter names with the gateway's description; a message that"
            " is not repeated here is seen by asking the interface by hand.",
        )

    def _signed(self, interface: str, content: Mapping[str, Any]) -> str:
        stamp, nonce = int(time.time() * 1000), secrets.token_hex(16)
        body = json.dumps(content, ensure_ascii=False)
        message = "\n".join([self._connection.login, interface, str(stamp), nonce, body])
        signature = hmac.new(self._connection.password.encode(), message.encode(), hashlib.sha256).hexdigest()
        return json.dumps(
            {
                "app_id": self._connection.login,
                "interface_id": interface,
                "version": "1.0.0",
                "charset": "utf-8",
                "timestamp": stamp,
                "nonce": nonce,
                "origin": 1,
                "sign": signature,
                "biz_content": body,
            },
            ensure_ascii=False,
        )


@contextmanager
def open_client(contract: Contract, retry: Retry) -> Iterator[GatewayClient]:
    """A client of *contract*'s connection.

    Raises:
        SettingsError: Its address is no HTTPS where it must be, or its files of certificates cannot be read.
    """
    silence("httpx")
    connection = connections.get(contract.connection_id)
    address = connection.host
    if "://" not in address:
        address = f"{connection.schema or 'https'}://{address}"
    if connection.port:
        address = f"{address}:{connection.port}"
    if not address.startswith("https://") and not Settings.load().is_sandbox:
        raise SettingsError(
            f"The connection {contract.connection_id!r} would send our signature and the answers in plain text.",
            advice="give it the schema https; plain http is for the sandbox only (THREEGAPS_SANDBOX=1).",
        )
    try:
        client = httpx.Client(
            base_url=address,
            timeout=_TIME_OUT,
            verify=_certificates(connection),
            proxy=connection.extra.get("proxy"),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept-Encoding": "gzip"},
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise SettingsError(
            f"The address or the proxy of the connection {contract.connection_id!r} is none ({type(error).__name__}).",
            advice="write them like https://gateway.example:443.",
        ) from None
    with client:
        yield GatewayClient(contract, connection, client, retry)


def _certificates(connection: Connection) -> ssl.SSLContext:
    """Whose certificates are accepted: the usual authorities', or those of the connection's own file."""
    own, client = connection.extra.get("ca_file"), connection.extra.get("client_certificate")
    try:
        context = httpx.create_ssl_context(trust_env=False) if own is None else ssl.create_default_context(cafile=own)
        if client is not None:
            context.load_cert_chain(client, connection.extra.get("client_key"))
    except OSError as error:
        raise SettingsError(
            f"A file of certificates of the connection {connection.connection_id!r} cannot be read"
            f" ({error.strerror or type(error).__name__}).",
            advice="check its extras `ca_file`, `client_certificate` and `client_key`.",
        ) from None
    return context


def _refusal_of(document: Any) -> Refusal | None:
    known = _known(document)
    return None if known is None else known[0]


def _refusal_words(document: Any) -> str:
    known = _known(document)
    if known is not None:
        return known[1]
    message = document.get("msg") if isinstance(document, dict) else None
    if isinstance(message, str) and message:
        return f"by a message of {len(message)} characters."
    return "without a message."


def _known(document: Any) -> tuple[Refusal, str] | None:
    message = document.get("msg") if isinstance(document, dict) else None
    if not isinstance(message, str):
        return None
    return next((known for begin, known in _KNOWN_REFUSALS.items() if message.startswith(begin)), None)


def _seconds(response: httpx.Response) -> float | None:
    """How long Retry-After asks us to wait: seconds, or an instant (RFC 9110, 10.2.3)."""
    written = response.headers.get("Retry-After", "").strip()
    if written.isascii() and written.isdigit() and len(written) < 10:
        return float(written)
    try:
        instant: dt.datetime = email.utils.parsedate_to_datetime(written)
        return max(0.0, (instant - dt.datetime.now(dt.UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
