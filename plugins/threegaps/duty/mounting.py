"""How the duty page hangs in Airflow: cheap to import, for every process of Airflow loads its plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/duty"
"""Where the page lies below Airflow's own address."""


class OnFirstRequest:
    """An application that is made when somebody asks for it: Airflow's module of rights costs seconds to import.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Application]) -> None:
        self._make = make
        self._made: Application | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._made is None:
            async with self._lock:
                if self._made is None:
                    try:
                        self._made = await asyncio.to_thread(self._make)
                    except Exception as error:  # noqa: BLE001  # the next request tries again
                        await _say_unmade(error, send)
                        return
        await self._made(scope, receive, send)


async def _say_unmade(error: Exception, send: Send) -> None:
    from threegaps.errors import kind_of
    from threegaps.standards.visible import log_of

    log_of(__name__).error("the duty page cannot be made: %s", kind_of(error))
    said = "值班页无法启动,原因见 api-server 的日志 · The duty page cannot start; the log of the api-server says why\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})


def _of_airflow() -> Application:
    from threegaps.duty.access import of_airflow
    from threegaps.duty.app import make_app
    from threegaps.settings import Settings

    return make_app(Settings.load(), of_airflow())


def applications() -> tuple[Mapping[str, Any], ...]:
    """The applications that Airflow mounts."""
    return ({"app": OnFirstRequest(_of_airflow), "url_prefix": PREFIX, "name": "ThreeGaps duty page"},)


def external_views() -> tuple[dict[str, str], ...]:
    """The places in Airflow's page from which it is reached; without a slash first they hold below any address."""
    own = PREFIX.removeprefix("/")
    return (
        {"name": "值班 Duty", "href": f"{own}/", "destination": "nav", "url_route": "duty"},
        {"name": "报送 Deliveries", "href": f"{own}/dag/{{DAG_ID}}", "destination": "dag", "url_route": "duty-dag"},
        {
            "name": "报送 Delivery",
            "href": f"{own}/dag/{{DAG_ID}}/run/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "duty-run",
        },
    )
