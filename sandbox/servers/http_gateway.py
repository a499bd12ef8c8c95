"""HTTP gateway in the style of the provincial one: signed, paged, JSON; one for every data set, by its registered name.

The signature, as a client must make it::

    message = "\\n".join([app_id, interface_id, str(timestamp), nonce, biz_content])
    sign = hmac.new(app_secret.encode(), message.encode("utf-8"), hashlib.sha256).hexdigest()

`timestamp` in epoch milliseconds, at most ten minutes off; a nonce is good once. The request is
``POST /interface/gateway.do`` with the form field ``param`` = JSON of app_id, interface_id, version, charset,
timestamp, nonce, origin, sign and biz_content (a JSON text). See sandbox/README.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import polars as pl
import uvicorn
from fastapi import FastAPI, Request, Response

from sandbox import clock, feeds
from sandbox.feeds.model import DataSet
from sandbox.servers.faults import Counter, Faults
from sandbox.writers.versions import HELPERS, at, store_of

CLOCK_SKEW_SECONDS = 600
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


class Refusal(Exception):  # noqa: N818 - an answer with status 0, not a failure of the server
    """A request that is answered with status 0 and this message."""


def signature(
    app_secret: str, app_id: str, interface_id: str, timestamp: int | str, nonce: str, biz_content: str
) -> str:
    """Hexadecimal HMAC-SHA256 of the five parts joined by line feeds."""
    message = "\n".join([app_id, interface_id, str(timestamp), nonce, biz_content])
    return hmac.new(app_secret.encode(), message.encode("utf-8"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Held:
    """A data set with every version of its rows."""

    data_set: DataSet
    rows: pl.DataFrame


class Gateway:
    """Answers requests for any data set from the generated rows; no network in it."""

    def __init__(self, home: Path, faults: Faults) -> None:
        credentials = json.loads((home / "credentials.json").read_text("utf-8"))
        self._app_id: str = credentials["app_id"]
        self._app_secret: str = credentials["app_secret"]
        self._home = home
        self._held = {
            feed.medium.name: Held(feed.medium, pl.read_parquet(store_of(home, feed)))
            for feed in feeds.every()
            if isinstance(feed.medium, DataSet)
        }
        self._nonces: dict[str, float] = {}
        self.faults = faults

    def answer(self, param: str, now: float) -> dict[str, object]:
        """The data of one request. Raises Refusal with the department's message."""
        interface, content = self._accepted(param, now)
        held, is_page = self._interface(interface)
        try:
            asked = dict(json.loads(content))
        except (ValueError, TypeError) as error:
            raise Refusal("参数错误: biz_content") from error
        rows = self._rows(held, asked)
        if not is_page:
            return {"total": len(rows)}
        return self._page(held.data_set, rows, asked)

    def _accepted(self, param: str, now: float) -> tuple[str, str]:
        """Interface and biz_content of a request that is signed as it should be."""
        try:
            request = json.loads(param)
            app_id, interface, stamp = str(request["app_id"]), str(request["interface_id"]), int(request["timestamp"])
            nonce, sign, content = str(request["nonce"]), str(request["sign"]), str(request["biz_content"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(f"参数错误: {type(error).__name__}") from error
        if app_id != self._app_id:
            raise Refusal("应用不存在")
        if abs(now - stamp / 1000) > CLOCK_SKEW_SECONDS:
            raise Refusal("时间戳过期")
        right = signature(self._app_secret, app_id, interface, stamp, nonce, content)
        if not hmac.compare_digest(right.encode(), sign.encode("utf-8")):
            raise Refusal("签名错误")
        self._nonces = {known: at for known, at in self._nonces.items() if now - at < CLOCK_SKEW_SECONDS * 2}
        if nonce in self._nonces:
            raise Refusal("随机串重复")
        self._nonces[nonce] = now
        return interface, content

    def _interface(self, interface: str) -> tuple[Held, bool]:
        """The data set that an interface belongs to, and whether it is the one of its pages."""
        name, _, asked = interface.rpartition(".")
        held = self._held.get(name)
        if held is None or asked not in (held.data_set.page_interface, held.data_set.total_interface):
            raise Refusal("接口不存在")
        return held, asked == held.data_set.page_interface

    def _rows(self, held: Held, asked: dict[str, object]) -> pl.DataFrame:
        """The rows as they stand: those that changed in the window asked for, or all of a full list."""
        current = at(held.rows, self.faults.as_of or clock.end_of_today(self._home)).drop(HELPERS)
        window = held.data_set.window
        if window is None:
            return current
        first, last = str(asked.get(window.first, "")), str(asked.get(window.last, ""))
        if not (MOMENT.fullmatch(first) and MOMENT.fullmatch(last)):
            raise Refusal(f"参数错误: {window.first}, {window.last}")
        return current.filter((pl.col(window.column) >= first) & (pl.col(window.column) < last))

    def _page(self, data_set: DataSet, rows: pl.DataFrame, asked: dict[str, object]) -> dict[str, object]:
        try:
            offset, count = data_set.paging.wanted(asked)
        except ValueError as error:
            raise Refusal(f"参数错误: {error}") from error
        if offset:
            offset = max(offset - self.faults.shift_pages, 0)
        found = rows.slice(offset, count)
        return {**data_set.paging.beside(offset, len(found), len(rows)), data_set.records: found.to_dicts()}


def _is_page(data: object) -> bool:
    return isinstance(data, dict) and any(isinstance(value, list) for value in data.values())


def application(home: Path, faults: Faults) -> FastAPI:
    """The web application: the gateway and the switches of its faults."""
    gateway = Gateway(home, faults)
    counter = Counter()
    app = FastAPI(title="合成数据网关 (synthetic)", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/interface/gateway.do")
    async def serve(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        param = form.get("param", [""])[0]
        if faults.slow_seconds:
            await asyncio.sleep(faults.slow_seconds)
        if faults.rate_limit_every and counter.next("rate") % faults.rate_limit_every == 0:
            return Response('{"status":0,"msg":"访问过于频繁"}', 429, {"Retry-After": "1"}, "application/json")
        if faults.bad_gateway_every and counter.next("bad") % faults.bad_gateway_every == 0:
            return Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")
        try:
            body: dict[str, object] = {"status": 1, "msg": "ok", "data": gateway.answer(param, time.time())}
        except Refusal as refusal:
            body = {"status": 0, "msg": str(refusal), "data": None}
        text = json.dumps(body, ensure_ascii=False)
        if faults.half_page_every and _is_page(body["data"]) and counter.next("half") % faults.half_page_every == 0:
            text = text[: len(text) // 2]
        return Response(text, media_type="application/json")

    @app.get("/_sandbox/faults")
    async def show() -> dict[str, object]:
        return faults.as_dict()

    @app.post("/_sandbox/faults")
    async def switch(request: Request) -> Response:
        try:
            faults.update(dict(await request.json()))
        except (ValueError, TypeError) as error:
            return Response(json.dumps({"error": str(error)}), 400, media_type="application/json")
        return Response(json.dumps(faults.as_dict()), media_type="application/json")

    return app


@dataclass(slots=True)
class RunningGateway:
    """A gateway that listens on 127.0.0.1:`port`."""

    port: int
    faults: Faults
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        self._server.should_exit = True
        self._thread.join(timeout=10)


def start(home: Path | str, port: int = 0, faults: Faults | None = None, *, host: str = "127.0.0.1") -> RunningGateway:
    """Start the gateway in a thread; `port` 0 takes a free one. Raises OSError if the port is taken."""
    import socket

    switches = faults or Faults()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(application(Path(home), switches), log_level="warning", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="sandbox-gateway")
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise OSError("the sandbox gateway did not start")
        time.sleep(0.02)
    return RunningGateway(listener.getsockname()[1], switches, server, thread)
