"""Ids of messages: fixed, one for each change and channel, and such as a mail's header may have."""

from __future__ import annotations

import dataclasses
import datetime as dt
import pickle
import re

from hypothesis import given
from hypothesis import strategies as st

from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI
from threegaps.watch import journal
from threegaps.watch.composing import incident_message
from threegaps.watch.message import ChannelError, Message, digest_message_id, incident_message_id

OPENED = dt.datetime(2026, 11, 27, 14, 30, 1, 5, tzinfo=SHANGHAI)


@given(
    cause=st.text(), change=st.sampled_from(["opened", "closed"]), channel=st.text(min_size=1), number=st.integers(1)
)
def test_an_id_fits_a_header_whatever_it_is_made_of(cause: str, change: str, channel: str, number: int) -> None:
    made = incident_message_id(cause, OPENED, change, channel, number)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+@threegaps", made)
    assert ".." not in made


def test_an_id_names_cause_opening_change_channel_and_number_and_no_zone() -> None:
    same = incident_message_id("airflow_down", OPENED.astimezone(dt.UTC), "opened", "mail")
    assert incident_message_id("airflow_down", OPENED, "opened", "mail") == same
    others = {
        incident_message_id("warehouse_down", OPENED, "opened", "mail"),
        incident_message_id("airflow_down", OPENED + dt.timedelta(microseconds=1), "opened", "mail"),
        incident_message_id("airflow_down", OPENED, "closed", "mail"),
        incident_message_id("airflow_down", OPENED, "opened", "wecom"),
        incident_message_id("airflow_down", OPENED, "opened", "mail", 2),
        digest_message_id(OPENED.date(), "mail"),
    }
    assert len(others - {same}) == 6


def test_a_message_follows_the_one_that_opened_the_thread_and_none_follows_itself() -> None:
    def follows(**content: str) -> str | None:
        return Message("b@threegaps", 1, "closed", "warning", "s", "t", content).reply_to

    assert follows() is None
    assert follows(reply_to="a@threegaps") == "a@threegaps"
    assert follows(reply_to="b@threegaps") is None


def test_a_close_names_all_that_the_opening_did_and_how_it_ended() -> None:
    cause = Cause("feed_late", "hrss/wages", "warning", "工资迟到", "wages are late", "应到", "due", ("hrss/wages",))
    opened = dataclasses.replace(journal.new_incident(cause, OPENED), indicator_codes=["M17-1"], marts=["action_4"])
    end = OPENED + dt.timedelta(hours=3)
    closed = dataclasses.replace(opened, closed_at=end, closed_by="wang", resolution="repaired")
    first = incident_message(opened, "opened", "mail", is_synthetic=True, now=OPENED).text
    last = incident_message(closed, "closed", "mail", is_synthetic=True, now=end).text
    for word in ("工资迟到", "hrss/wages", "部门:hrss", "department: hrss", "M17-1", "action_4", "2026-11-27 14:30"):
        assert word in first, word
        assert word in last, word
    for word in ("3小时", "3 hours", "由wang已解除:repaired", "closed by wang: repaired", "It held up", "曾影响指标"):
        assert word in last, word


def test_an_error_of_a_channel_comes_whole_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(ChannelError("Refused with code 310000.", 60.0, True)))  # noqa: S301
    assert (error.message, error.retry_after_seconds, error.is_final) == ("Refused with code 310000.", 60.0, True)
