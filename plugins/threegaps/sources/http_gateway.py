"""The provincial gateway: signed requests, answers in pages.

All pages of a window are landed as one part, one answer a line exactly as it was sent (a line break between JSON's own
marks, which carries no meaning, becomes a space). Rows that move while we read show in a total that changes: then the
window is read again from its first page.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import httpx

from threegaps import connections
from threegaps.connections import Connection
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import HttpSource, PagePager
from threegaps.errors import ContractError, FeedError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.landing.store import Arrival
from threegaps.sources.model import Retry, TransientError, refused_login

_TIME_OUT = httpx.Timeout(60.0, connect=10.0)
_SPOOL_BYTES = 16 << 20
_BAD_LOGIN = ("签名错误", "应用不存在")
_AGAIN = ("时间戳过期", "随机串重复")
_READS = 4


class HttpGateway:
    """One feed behind the gateway; see `open_gateway`."""

    def __init__(self, contract: Contract, connection: Connection, client: httpx.Client, retry: Retry) -> None:
        self._contract = contract
        self._connection = connection
        self._client = client
        self._retry = retry
        source = contract.source
        if not isinstance(source, HttpSource) or source.window is None or not isinstance(source.pager, PagePager):
            raise ContractError("The feed does not come by HTTP, in numbered pages of windows.", feed=contract.feed)
        self._path = source.path
        self._page_interface = source.interface
        self._total_interface = source.total.interface if source.total and source.total.interface else source.interface
        self._from_parameter, self._to_parameter = source.window.from_parameter, source.window.to_parameter
        self._page_parameter, self._size_parameter = source.pager.page_parameter, source.pager.size_parameter
        self._page_size = source.pager.page_size

    def window(self, updated_from: str, updated_to: str) -> Arrival:
        """The rows updated from *updated_from* (inclusive) to *updated_to* (exclusive), as one part."""
        return Arrival(
            part="window",
            source_name=f"{self._page_interface}.jsonl",
            chunks=lambda: self._read_window(updated_from, updated_to),
            watermark_from=updated_from,
            watermark_to=updated_to,
        )

    def _read_window(self, updated_from: str, updated_to: str) -> Iterator[bytes]:
        window = {self._from_parameter: updated_from, self._to_parameter: updated_to}
        for _ in range(_READS):
            with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as pages:
                if not self._read_pages(window, cast(IO[bytes], pages)):
                    continue
                pages.seek(0)
                while chunk := pages.read(CHUNK_BYTES):
                    yield chunk
                return
        raise FeedError(
            f"The pages kept shifting while they were read ({_READS} times from the start).",
            feed=self._contract.feed,
            file=self._page_interface,
            advice="run the task again when the department's own jobs are over.",
        )

    def _read_pages(self, window: dict[str, Any], pages: IO[bytes]) -> bool:
        """Write all pages of a window; False when they shifted on the way, so that rows may have been skipped.

        They shifted when the total is another, or when a page begins with a row that the page before had already.
        """
        expected = self._total(window)
        read, page = 0, 1
        before: list[Any] = []
        while True:
            body, answer = self._ask(
                self._page_interface, {**window, self._page_parameter: page, self._size_parameter: self._page_size}
            )
            rows, total = self._rows(answer, page)
            if total != expected or (rows and rows[0] in before):
                return False
            before = rows
            pages.write(body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
            read += len(rows)
            if read >= expected or not rows:
                break
            page += 1
        return read == expected and self._total(window) == expected

    def _total(self, window: dict[str, Any]) -> int:
        _, answer = self._ask(self._total_interface, {**window, self._page_parameter: 1, self._size_parameter: 1})
        try:
            return int(answer["data"]["total"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._misread(1) from error

    def _rows(self, answer: dict[str, Any], page: int) -> tuple[list[Any], int]:
        try:
            return list(answer["data"]["rows"]), int(answer["data"]["total"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._misread(page) from error

    def _misread(self, page: int) -> FeedError:
        return FeedError(
            f"Page {page} has no list of rows with a total.",
            feed=self._contract.feed,
            file=self._page_interface,
            advice="compare the interface's answer with its description; it may have a new version.",
        )

    def _ask(self, interface: str, content: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        return self._retry.run(self._contract, lambda: self._ask_once(interface, content))

    def _ask_once(self, interface: str, content: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        try:
            response = self._client.post(self._path, data={"param": self._signed(interface, content)})
        except httpx.TimeoutException as error:
            raise TransientError("The gateway did not answer in time.") from error
        except httpx.TransportError as error:
            raise TransientError(f"The gateway cannot be reached ({type(error).__name__}).") from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise TransientError("The gateway asks us to wait (429).", retry_after=_seconds(response))
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise refused_login(self._contract, f"HTTP {response.status_code}")
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"The gateway has trouble (HTTP {response.status_code}).")
        if response.status_code != httpx.codes.OK:
            raise FeedError(
                f"The gateway answers HTTP {response.status_code}.",
                feed=self._contract.feed,
                file=interface,
                advice=f"check the address of the connection {self._contract.connection_id!r} and the contract's path.",
            )
        try:
            answer = json.loads(response.content)
        except ValueError as error:
            raise TransientError("The gateway sent half an answer or no JSON.") from error
        if not isinstance(answer, dict) or answer.get("status") != 1:
            self._refuse(interface, str(answer.get("msg")) if isinstance(answer, dict) else "no object")
        return response.content, answer

    def _refuse(self, interface: str, message: str) -> None:
        if message in _AGAIN:
            raise TransientError(f"The gateway refused the request: {message}.")
        if message in _BAD_LOGIN:
            raise refused_login(self._contract, message)
        raise FeedError(
            f"The gateway refused the request: {message}",
            feed=self._contract.feed,
            file=interface,
            advice="compare the contract's interface and parameter names with the gateway's description.",
        )

    def _signed(self, interface: str, content: dict[str, Any]) -> str:
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
def open_gateway(contract: Contract, *, retry: Retry | None = None) -> Iterator[HttpGateway]:
    """The gateway of *contract*'s connection."""
    connection = connections.get(contract.connection_id)
    address = connection.host
    if "://" not in address:
        address = f"{connection.schema or 'https'}://{address}"
    if connection.port:
        address = f"{address}:{connection.port}"
    with httpx.Client(base_url=address, timeout=_TIME_OUT) as client:
        yield HttpGateway(contract, connection, client, retry or Retry())


def _seconds(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
