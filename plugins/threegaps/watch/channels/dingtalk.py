"""DingTalk's robot of a group (自定义机器人), with its signature (加签).

Source of what is said of it here: 钉钉开放平台, 自定义机器人接入 and 安全设置
(https://open.dingtalk.com/document/robots/custom-robot-access, …/customize-robot-security-settings), as read in 2026.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from threegaps.watch.channels.conversation import CONVERSATION_SECONDS
from threegaps.watch.channels.cutting import cut_to_bytes
from threegaps.watch.channels.pace import Pace
from threegaps.watch.channels.posting import Target, error_code, post_json
from threegaps.watch.channels.robots import Code, as_markdown, refuse
from threegaps.watch.message import Message, OnePlace

ADDRESS = "https://oapi.dingtalk.com/robot/send"
MESSAGES_PER_MINUTE = 20
"""每个机器人每分钟最多发送20条; one more, and the robot is barred for `BARRED_SECONDS` (如果超过20条,会限流10分钟)."""
BARRED_SECONDS = 600.0
LONGEST_TEXT_BYTES = 5_000
"""Global code 34016: content and markdown at most 5000, title at most 64; in what unit is not said, so the smallest."""
LONGEST_TITLE_BYTES = 64
# 310000 stands for all of its security settings: sign not match, invalid timestamp, keywords not in content, IP.
CODES: Mapping[int, Code] = {
    -1: Code("its system is busy"),
    40035: Code("a parameter is missing", is_final=True),
    300001: Code("the token is not valid", is_final=True),
    300005: Code("the token is not valid", is_final=True),
    310000: Code(
        "its security settings (signature, keyword, address, or the clock of this machine) do not let it in",
        is_final=True,
    ),
    400013: Code("the group has been dissolved", is_final=True),
    400101: Code("the token is not known", is_final=True),
    400102: Code("the robot has been stopped", is_final=True),
    400105: Code("this kind of message is not known", is_final=True),
    400106: Code("the robot is not known", is_final=True),
    130101: Code("more than 20 messages within a minute", retry_after_seconds=BARRED_SECONDS),
    410100: Code("messages came too quickly", retry_after_seconds=BARRED_SECONDS),
    430101: Code("it holds a link that is not safe", is_final=True, is_of_message=True),
    430102: Code("its wording is not let through", is_final=True, is_of_message=True),
    430104: Code("its wording is not let through", is_final=True, is_of_message=True),
    460101: Code("it is too long", is_final=True, is_of_message=True),
}


@dataclass(frozen=True, slots=True)
class DingTalk(OnePlace):
    """Sends to a group through its robot.

    Args:
        token: The robot's ``access_token``.
        secret: What its signature is made with, ``SEC…``; None where its settings ask for none.
        address: Its address without the token; another one where DingTalk is an institution's own.
    """

    name: str
    token: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    target: Target = field(default=Target(ADDRESS))
    seconds: float = CONVERSATION_SECONDS
    clock: Callable[[], float] = field(default=time.time, repr=False)
    pace: Pace = field(default_factory=lambda: Pace(MESSAGES_PER_MINUTE, time.monotonic), repr=False)

    def send(self, message: Message) -> None:
        """Send *message* as Markdown; see `Channel.send`."""
        self.pace.take()
        text = as_markdown(f"{message.subject}\n{message.text}", "\n\n")
        body = {
            "msgtype": "markdown",
            "markdown": {
                "title": cut_to_bytes(message.subject, LONGEST_TITLE_BYTES, "…"),
                "text": cut_to_bytes(text, LONGEST_TEXT_BYTES),
            },
        }
        url = f"{self.target.url}?access_token={quote_plus(self.token)}"
        if self.secret is not None:
            milliseconds = int(self.clock() * 1000)
            url += f"&timestamp={milliseconds}&sign={quote_plus(signature(self.secret, milliseconds))}"
        answer = post_json(
            Target(url, self.target.ca_file), json.dumps(body, ensure_ascii=False).encode(), seconds=self.seconds
        )
        refuse("DingTalk", error_code(self.target, answer), CODES)


def signature(secret: str, milliseconds: int) -> str:
    """Base64 of the HMAC-SHA256, keyed with the secret, of the instant, a line feed and the secret."""
    made = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(made).decode("ascii")
