"""Questions to the ledger that no silence of the warehouse and no busy machine holds up for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg

from threegaps.errors import ThreeGapsError
from threegaps.settings import Settings
from threegaps.watch import reading_machine
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.readings import WarehouseReading

LEDGER_SECONDS = 75.0
"""All questions together. That one is not answered says that the warehouse is silent, this that the machine is busy."""
_TOO_SLOW = "ledger: it answers, but not all questions within a pass; the machine is busy"

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Answer]):
    """What came of asking the ledger.

    Args:
        warehouse: Whether it answers at all.
        answer: None where the questions could not be answered.
        missing: Why not, each as ``name: reason``.
    """

    warehouse: WarehouseReading
    answer: Answer | None = None
    missing: tuple[str, ...] = ()


def ask_ledger(settings: Settings, ask: Callable[[psycopg.Connection[Any]], Answer]) -> Asked[Answer]:
    """Ask over one connection, in autocommit, each of whose questions has a limit of its own.

    Only a question that gets no answer says that the warehouse is down.
    """
    answering = WarehouseReading(reading_machine.warehouse_address(settings), answers=True)
    try:
        with deadline(LEDGER_SECONDS), reading_machine.connect(settings) as connection:
            return Asked(answering, ask(connection))
    except DeadlineError:
        return Asked(answering, missing=(_TOO_SLOW,))
    except (psycopg.Error, TimeoutError, ThreeGapsError) as error:
        if not reading_machine.is_down(error):
            return Asked(answering, missing=(reading_machine.unread(error),))
        silent = reading_machine.unanswered(settings, error)
        return Asked(silent, missing=(f"ledger: {silent.said}",))
