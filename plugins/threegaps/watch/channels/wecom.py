"""WeCom's robot of a group (企业微信群机器人).

Source of what is said of it here: 企业微信开发者中心, 群机器人配置说明 (https://developer.work.weixin.qq.com/document/path/91770)
and 全局错误码 (…/path/90313), as read in 2026.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote_plus

from threegaps.watch.channels.conversation import CONVERSATION_SECONDS
from threegaps.watch.channels.cutting import cut_to_bytes
from threegaps.watch.channels.pace import Pace
from threegaps.watch.channels.posting import Target, error_code, post_json
from threegaps.watch.channels.robots import Code, as_markdown, refuse
from threegaps.watch.message import Message, OnePlace

ADDRESS = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
MESSAGES_PER_MINUTE = 20
"""每个机器人发送的消息不能超过20条/分钟."""
LONGEST_BYTES: Mapping[str, int] = {"text": 2048, "markdown": 4096}
"""text.content 最长不超过2048个字节, markdown.content 最长不超过4096个字节, 必须是utf8编码."""
CODES: Mapping[int, Code] = {
    -1: Code("its system is busy"),
    6000: Code("its data changed meanwhile"),
    40008: Code("this kind of message is not known", is_final=True),
    40058: Code("a parameter is not valid, or the text is too long", is_final=True, is_of_message=True),
    44004: Code("the text is empty", is_final=True, is_of_message=True),
    45002: Code("the text is too long", is_final=True, is_of_message=True),
    45009: Code("more messages than its limit", retry_after_seconds=60.0),
    45033: Code("too many at once", retry_after_seconds=10.0),
    93000: Code("the key is not valid, or the robot has been removed", is_final=True),
    93004: Code("the robot has been stopped", is_final=True),
    93008: Code("it is not in the group", is_final=True),
}


@dataclass(frozen=True, slots=True)
class WeCom(OnePlace):
    """Sends to a group through its robot.

    Args:
        key: The ``key`` of the robot's address.
        form: ``markdown``, or ``text`` for groups with members of WeChat, which shows no Markdown.
    """

    name: str
    key: str = field(repr=False)
    form: Literal["text", "markdown"] = "markdown"
    target: Target = field(default=Target(ADDRESS))
    seconds: float = CONVERSATION_SECONDS
    pace: Pace = field(default_factory=lambda: Pace(MESSAGES_PER_MINUTE, time.monotonic), repr=False)

    def send(self, message: Message) -> None:
        """Send *message*; see `Channel.send`."""
        self.pace.take()
        text = f"{message.subject}\n{message.text}"
        if self.form == "markdown":
            text = as_markdown(text, "\n")
        body = {"msgtype": self.form, self.form: {"content": cut_to_bytes(text, LONGEST_BYTES[self.form])}}
        answer = post_json(
            Target(f"{self.target.url}?key={quote_plus(self.key)}", self.target.ca_file),
            json.dumps(body, ensure_ascii=False).encode(),
            seconds=self.seconds,
        )
        refuse("WeCom", error_code(self.target, answer), CODES)
