"""A gateway whose answers a test writes itself: the odd servers that a well-made sandbox cannot be."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Answer = bytes | dict[str, Any] | tuple[int, Mapping[str, str], bytes]
Script = Callable[[str, dict[str, Any]], Answer]


@dataclass
class ScriptedGateway:
    """Answers by a script that gets the interface and the content of each request."""

    script: Script
    port: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, interface: str, content: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((interface, content))
        answer = self.script(interface, content)
        if isinstance(answer, dict):
            answer = json.dumps({"status": 1, "msg": "ok", "data": answer}, ensure_ascii=False).encode()
        return answer if isinstance(answer, tuple) else (200, {}, answer)


@contextmanager
def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedGateway]:
    """Serve *script* on a free port of the loopback interface."""
    gateway = ScriptedGateway(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            request = json.loads(parse_qs(body)["param"][0])
            status, headers, answer = gateway.answer(request["interface_id"], json.loads(request["biz_content"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    gateway.port = server.server_port
    yield gateway
    server.shutdown()
    server.server_close()


def rows(count: int, first: int = 1) -> list[dict[str, str]]:
    """Rows of the small feed, each its own."""
    return [
        {
            "id": f"{number:08d}",
            "county": "330106",
            "day": "2026-05-01",
            "updated": f"2026-06-01 00:00:{number % 60:02d}",
        }
        for number in range(first, first + count)
    ]


def page_of(every: Sequence[Any], content: Mapping[str, Any]) -> list[Any]:
    """The page that is asked for, from a server that keeps its order."""
    if "start" in content:
        begin = int(content["start"]) - 1
        return list(every[begin : begin + int(content["count"])])
    size = int(content["size"])
    return list(every[(int(content["page"]) - 1) * size :][:size])
