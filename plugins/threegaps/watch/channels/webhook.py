"""A webhook of one's own: the message as JSON, signed where a secret is agreed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from threegaps.watch.channels.conversation import CONVERSATION_SECONDS
from threegaps.watch.channels.posting import Target, post_json
from threegaps.watch.message import Message, OnePlace

SIGNATURE_HEADER = "ThreeGaps-Signature"
"""``t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "<t>.<body>">``."""


@dataclass(frozen=True, slots=True)
class Webhook(OnePlace):
    """Posts each message as JSON.

    The header ``Idempotency-Key`` is the message's id: what is sent again after a crash can be known by it.

    Args:
        secret: What signatures are made with; None for none.
    """

    name: str
    target: Target = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    seconds: float = CONVERSATION_SECONDS
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def send(self, message: Message) -> None:
        """Post *message*; see `Channel.send`."""
        body = json.dumps(
            {
                "message_id": message.message_id,
                "reply_to": message.reply_to,
                "incident_id": message.incident_id,
                "change": message.change,
                "gravity": message.gravity,
                "subject": message.subject,
                "text": message.text,
                "content": dict(message.content),
            },
            ensure_ascii=False,
        ).encode()
        headers = {"Idempotency-Key": message.message_id}
        if self.secret is not None:
            headers[SIGNATURE_HEADER] = signature(self.secret, int(self.clock()), body)
        post_json(self.target, body, headers=headers, seconds=self.seconds, reads_answer=False)


def signature(secret: str, at: int, body: bytes) -> str:
    """What the header says of *body*, signed at second *at* since 1970."""
    made = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"
