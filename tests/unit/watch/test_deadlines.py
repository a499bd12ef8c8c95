"""A deadline ends what runs below it, whatever that catches."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import reading_machine, service
from threegaps.watch.channels.conversation import CONVERSATION_SECONDS
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling
from threegaps.watch.trying import PASS_SECONDS


def swallow() -> None:
    with contextlib.suppress(OSError):
        try:
            time.sleep(5)
        except Exception:  # noqa: BLE001
            pytest.fail("taken for an error of what was asked")


def nest() -> None:
    with deadline(5):
        pass
    time.sleep(5)


def test_no_handler_below_a_deadline_takes_it_for_its_own() -> None:
    with pytest.raises(DeadlineError), deadline(0.05):
        swallow()
    assert not issubclass(DeadlineError, OSError)


def test_of_two_deadlines_the_one_whose_time_is_up_ends() -> None:
    with deadline(5):
        with pytest.raises(DeadlineError), deadline(0.05):
            time.sleep(5)
        time.sleep(0.01)
    started = time.monotonic()
    with pytest.raises(DeadlineError), deadline(0.2):
        nest()
    assert time.monotonic() - started < 2
    time.sleep(0.3)  # no alarm is left


def ask(seconds: float) -> None:
    with deadline(6):
        time.sleep(seconds)


def ask_and_tidy_up() -> None:
    try:
        ask(5)
    finally:
        ask(3)  # as a rollback or a farewell does


def ask_after_silence() -> None:
    for _ in range(20):
        with contextlib.suppress(DeadlineError), deadline(0.1):
            time.sleep(5)


@pytest.mark.parametrize("below", [lambda: ask(5), ask_and_tidy_up, ask_after_silence])
def test_a_deadline_below_another_does_not_put_it_off(below: Callable[[], None]) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineError), deadline(0.25):
        below()
    assert time.monotonic() - started < 1
    with deadline(0.2):
        time.sleep(0.01)
    time.sleep(0.3)  # no alarm is left, nor a limit


def test_what_tidies_up_after_a_deadline_asks_nobody_again() -> None:
    asked = []
    started = time.monotonic()

    def tidy_up() -> None:
        try:
            time.sleep(5)
        finally:
            with deadline(6):
                asked.append(1)

    with pytest.raises(DeadlineError), deadline(0.1):
        tidy_up()
    assert not asked
    assert time.monotonic() - started < 1


def test_a_warehouse_that_is_slow_to_let_anybody_in_takes_of_the_time_for_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    @contextlib.contextmanager
    def slowly(_: Settings) -> Iterator[None]:
        time.sleep(0.5)
        yield None

    watch = Watch(
        Settings.load({"THREEGAPS_HOME": str(tmp_path)}), lambda: Telling(send=lambda _, __, until: given.append(until))
    )
    watch.telling = watch._ask_telling()
    monkeypatch.setattr(reading_machine, "connect", slowly)
    started = time.monotonic()
    watch._send(dt.datetime.now(SHANGHAI))
    (until,) = given
    assert until < started + PASS_SECONDS + 0.4
    # The last message that is begun is noted before the pass is cut.
    assert until + CONVERSATION_SECONDS + 5 < started + service._SENDING_SECONDS
