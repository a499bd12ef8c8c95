"""How the sentences of a message begin."""

from __future__ import annotations

import datetime as dt

import pytest

from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI
from threegaps.watch.composing import _sentence, incident_message
from threegaps.watch.journal import new_incident


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("union/agreements (agreements) is late: 2026-05", "union/agreements (agreements) is late: 2026-05."),
        ("hrss/wages: batch 7 of 2026-05 failed", "hrss/wages: batch 7 of 2026-05 failed."),
        ("build 7 failed", "Build 7 failed."),
        ("the warehouse does not answer", "The warehouse does not answer."),
    ],
)  # fmt: skip
def test_a_sentence_begins_with_a_capital_but_a_feed_key_is_left_alone(title: str, said: str) -> None:
    assert _sentence(title) == said


def test_who_tells_past_the_ledger_says_where_it_is() -> None:
    now = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
    incident = new_incident(Cause("warehouse_down", "", "critical", "没有应答", "no answer"), now)

    def said(**teller: str) -> str:
        return incident_message(incident, "opened", "duty", is_synthetic=False, now=now, **teller).text

    assert said(teller="duty-1:/var/lib/threegaps").count("duty-1:/var/lib/threegaps") == 2
    assert said().count("Told by") == said().count("告知") == 0
