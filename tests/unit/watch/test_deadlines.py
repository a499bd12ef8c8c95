"""A deadline ends what runs below it, whatever that catches."""

from __future__ import annotations

import contextlib
import time

import pytest

from threegaps.watch.deadlines import DeadlineError, deadline


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
