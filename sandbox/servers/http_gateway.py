"""HTTP gateway in the style of the provincial one: signed, paged, JSON.

The signature, as a client must make it::

    message = "\\n".join([app_id, interface_id, str(timestamp), nonce, biz_content])
    sign = hmac.new(app_secret.encode(), message.encode("utf-8"), hashlib.sha256).hexdigest()

`timestamp` in epoch milliseconds, at most ten minutes off; a nonce is good once. The request is
``POST /interface/gateway.do`` with the form field ``param`` = JSON of app_id, interface_id, version, charset,
timestamp,
nonce, origin, sign and biz_content (a JSON text). See sandbox/README.md.
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

from sandbox.servers.faults import Counter, Faults

CLOCK_SKEW_SECONDS = 600
LARGEST_PAGE = 5_000
DATA_SET = "hrss.training_enrollments"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


class Refusal(Exception):  # noqa: N818 - an answer with status 0, not a failure of the server
    """A request that is answered with status 0 and this message."""


def signature(
    app_secret: str, app_id: str, interface_id: str, timestamp: int | str, nonce: str, biz_content: str
) -> str:
    """Hexadecimal HMAC-SHA256 of the five parts joined by line feeds."""
    message = "\n".join([app_id, interface_id, str(timestamp), nonce, biz_content])
    return hmac.new(app_secret.encode(), message.encode("utf-8"), hashlib.sha256).hexdigest()


class Gateway:
    """Answers requests from the generated rows; no network in it."""

    def __init__(self, home: Path, faults: Faults) -> None:
        credentials = json.loads((home / "credentials.json").read_text("utf-8"))
        self._app_id: str = credentials["app_id"]
        self._app_secret: str = credentials["app_secret"]
        self._rows = pl.read_parquet(home / "gateway" / "training_enrollments.parquet")
        self._nonces: dict[str, float] = {}
        self.faults = faults

    def answer(self, param: str, now: float) -> dict[str, object]:
        """The data of one request. Raises Refusal with the department's message."""
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
        if interface not in (f"{DATA_SET}.gettotal", f"{DATA_SET}.getdata"):
            raise Refusal("接口不存在")
        rows = self._window(content)
        if interface.endswith("gettotal"):
            return {"total": len(rows)}
        return self._page(rows, content)

    def _window(self, content: str) -> pl.DataFrame:
        try:
            asked = json.loads(content)
            first, last = str(asked["updatedFrom"]), str(asked["updatedTo"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal("参数错误: biz_content") from error
        if not (MOMENT.fullmatch(first) and MOMENT.fullmatch(last)):
            raise Refusal("参数错误: updatedFrom, updatedTo")
        rows = self._rows
        if self.faults.as_of:
            rows = rows.filter(pl.col("updatedAt") <= self.faults.as_of)
        # A record appears once, in its current state.
        current = rows.filter(pl.col("_version") == pl.col("_version").max().over("_record"))
        return current.filter((pl.col("updatedAt") >= first) & (pl.col("updatedAt") < last)).drop("_version", "_record")

    def _page(self, rows: pl.DataFrame, content: str) -> dict[str, object]:
        asked = json.loads(content)
        try:
            page, size = int(asked["PAGE"]), int(asked["PAGENUM"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal("参数错误: PAGE, PAGENUM") from error
        if page < 1 or not 1 <= size <= LARGEST_PAGE:
            raise Refusal("参数错误: PAGE, PAGENUM")
        offset = max((page - 1) * size - (self.faults.shift_pages if page > 1 else 0), 0)
        return {"total": len(rows), "rows": rows.slice(offset, size).to_dicts()}


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
            body = {"status": 1, "msg": "ok", "data": gateway.answer(param, time.time())}
        except Refusal as refusal:
            body = {"status": 0, "msg": str(refusal), "data": None}
        text = json.dumps(body, ensure_ascii=False)
        if faults.half_page_every and "rows" in text and counter.next("half") % faults.half_page_every == 0:
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
