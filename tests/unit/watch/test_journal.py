"""The journal keeps what it is given, whole or not at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from pathlib import Path

import pytest

from threegaps.ledger.incidents import Cause, as_seen
from threegaps.ledger.outbox import Tried
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import journal
from threegaps.watch.composing import incident_message
from threegaps.watch.files import write_whole
from threegaps.watch.journal import Journal, Posted
from threegaps.watch.reconciling import Decisions
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling

NOW = dt.datetime(2026, 7, 21, 10, 0, 0, 123456, tzinfo=SHANGHAI)
CAUSE = Cause("feed_late", "a/b", "warning", "迟到", "late", "详", "detail", ("a/b",))


def book() -> Journal:
    incident = journal.new_incident(CAUSE, NOW)
    message = incident_message(incident, "opened", "mail", is_synthetic=True, now=NOW)
    one = Journal(posted=[Posted(message, "mail", incident.cause_key, NOW, NOW, NOW)])
    one.put(incident)
    return one


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    journal.save(tmp_path, book())
    assert journal.load(tmp_path) == book()
    assert journal.cause_of(journal.load(tmp_path).open[0]) == CAUSE


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"incidents": [{}], "posted": [], "is_ahead": true}'])
def test_a_damaged_file_is_an_empty_journal(tmp_path: Path, content: str) -> None:
    journal.journal_path(tmp_path).write_text(content, encoding="utf-8")
    found = journal.load(tmp_path)
    assert found == Journal()
    assert found.problem
    assert not journal.load(tmp_path / "none").problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("opened_at", "2026-07-21T10:00:00"), ("opened_at", None), ("title_en", 5), ("feeds", "abc"), ("feeds", [1])),
        ("incident_id", True),
    ],
)
def test_a_field_of_another_type_is_damage(tmp_path: Path, name: str, value: object) -> None:
    journal.save(tmp_path, book())
    path = journal.journal_path(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["incidents"][0][name] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    assert journal.load(tmp_path).problem == "the file is damaged"


def test_what_is_no_file_or_too_deep_does_not_hold_up_the_watch(tmp_path: Path) -> None:
    path = journal.journal_path(tmp_path / "watch")
    path.mkdir(parents=True)
    assert journal.load(path.parent).problem
    path.rmdir()
    os.mkfifo(path)
    assert "no regular file" in journal.load(path.parent).problem
    path.unlink()
    path.write_text("[" * 100_000, encoding="utf-8")
    watch = Watch(Settings.load({"THREEGAPS_HOME": str(tmp_path)}), Telling)
    assert watch.journal == Journal()
    assert "the file is damaged; it is kept as journal.json.damaged" in watch.journal.problem
    assert [one.name for one in path.parent.iterdir()] == ["journal.json.damaged"]


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    journal.save(tmp_path, book())
    with pytest.raises(UnicodeEncodeError):
        write_whole(journal.journal_path(tmp_path), "half \ud800")
    assert journal.load(tmp_path) == book()
    assert [path.name for path in tmp_path.iterdir()] == ["journal.json"]


def test_a_message_is_due_when_it_may_be_sent_and_the_pause_is_over() -> None:
    (posted,) = book().posted
    assert posted.is_due(NOW)
    assert not posted.is_due(NOW - dt.timedelta(seconds=1))
    posted.tried = Tried(retry_at=NOW + dt.timedelta(seconds=30))
    assert not posted.is_due(NOW)
    assert posted.is_due(NOW + dt.timedelta(seconds=30))
    posted.tried = Tried(sent_at=NOW, sent_as=posted.message.message_id)
    assert not posted.is_due(NOW + dt.timedelta(days=1))


def test_what_is_seen_again_says_all_that_is_known_of_its_cause_now() -> None:
    one = book()
    wider = dataclasses.replace(
        CAUSE, title_zh="又迟", title_en="late again", detail_en="more", feeds=("a/b", "c/d"), occasions=("3", "4")
    )
    journal.keep(one, Decisions(seen=((one.open[0], wider),)), NOW + dt.timedelta(minutes=1), opened_at=NOW)
    (incident,) = one.open
    assert journal.cause_of(incident) == wider
    assert (incident.feed, incident.department, incident.opened_at) == (None, None, NOW)
    # What is over goes on saying what was over.
    over = dataclasses.replace(incident, closed_at=NOW)
    assert as_seen(over, CAUSE) == over
