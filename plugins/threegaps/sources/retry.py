"""Trying again what may pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from threegaps.contracts.model import Contract
from threegaps.errors import SourceUnavailableError
from threegaps.labels import CAUSES
from threegaps.sources.trouble import TransientError, address_of
from threegaps.standards.visible import log_of

logger = log_of(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and after what waits a request is repeated.

    Args:
        attempts: How often it is tried in all.
        base_seconds: The first wait; it doubles each time.
        longest_seconds: No wait is longer, not even one that the server asks for.
    """

    attempts: int = 5
    base_seconds: float = 1.0
    longest_seconds: float = 60.0

    def run(self, contract: Contract, action: Callable[[], Result]) -> Result:
        """Run *action*, again on `TransientError`, and give up with the last one's message.

        Raises:
            SourceUnavailableError: It did not pass.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=self._wait,
            sleep=lambda seconds: time.sleep(seconds),  # looked up when it is called: tests do not wait
            before_sleep=lambda state: self._log(contract, state),
            reraise=True,
        )
        try:
            return retrying(action)
        except TransientError as error:
            host, port = address_of(contract)
            said_zh = error.message_zh or f"{CAUSES[error.cause][0]}。"
            raise SourceUnavailableError(
                f"{error.message} Tried {_times(self.attempts)}{'' if host is None else f' at {host}:{port}'}.",
                feed=contract.feed,
                connection_id=contract.connection_id,
                advice="look whether the department's system is up; the task can simply be run again.",
                message_zh=f"{'' if host is None else f'{host}:{port} '}{said_zh}已试{self.attempts}次。",
                cause=error.cause,
                host=host,
                port=port,
            ) from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and error.retry_after is not None:
            return min(error.retry_after, self.longest_seconds)
        return min(self.base_seconds * 2.0 ** (state.attempt_number - 1), self.longest_seconds)

    @staticmethod
    def _log(contract: Contract, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        logger.warning("%s: %s Trying again in %.1f s.", contract.feed, getattr(error, "message", ""), wait)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
