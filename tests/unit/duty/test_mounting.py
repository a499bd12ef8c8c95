"""The duty page is made when it is asked for first; where that fails it is said, and the next request tries again."""

from __future__ import annotations

import asyncio
from typing import Any

from threegaps.duty.mounting import Application, OnFirstRequest, Receive, Scope, Send


def test_what_cannot_be_made_is_said_and_tried_again() -> None:
    tries: list[int] = []
    sent: list[Any] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "made"})

    def make() -> Application:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("a secret")
        return page

    async def receive() -> Any:
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask_thrice() -> None:
        one = OnFirstRequest(make)
        for _ in range(3):
            await one({}, receive, send)

    asyncio.run(ask_thrice())
    started, body, *made = sent
    assert started["status"] == 500
    assert "值班页无法启动" in body["body"].decode()
    assert b"a secret" not in body["body"]
    assert made == [{"type": "made"}] * 2
    assert len(tries) == 2
