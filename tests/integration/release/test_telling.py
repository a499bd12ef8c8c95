"""What other systems are told of a release: what has changed since they were told last, and nothing twice."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, release, small_manifest
from threegaps.release import telling, undo

pytestmark = pytest.mark.integration

C = ("M01-5", "330102")


def news(marts: str, last_told: int | None) -> dict[str, Any] | None:
    with psycopg.connect(marts) as connection:
        return telling.news_since(connection, last_told)


def test_a_release_is_told_with_the_indicators_that_changed(marts: str) -> None:
    assert news(marts, None) is None, "there is none yet"
    release(marts, {A: 20, B: 30, P: 50, C: 5})
    first = news(marts, None)
    assert first is not None
    assert (first["release_id"], first["told_before"], first["kind"], first["as_of"]) == (
        1,
        None,
        "build",
        "2026-06-30",
    )
    assert first["indicators"] == ["M01-3", "M01-5"]
    assert json.loads(json.dumps(first)) == first, "as an asset event takes it"
    release(marts, {A: 21, B: 30, P: 51, C: 5})
    second = news(marts, 1)
    assert second is not None
    assert (second["release_id"], second["indicators"], second["indicator_count"]) == (2, ["M01-3"], 1)
    assert news(marts, 2) is None, "it has been told"


def test_a_release_that_changes_no_indicator_is_not_told(marts: str) -> None:
    values = {A: 20, B: 30, P: 50, C: 5}
    release(marts, values)
    release(marts, values)
    assert news(marts, 1) is None
    # Nor is one that says anew only when it was made.
    with psycopg.connect(marts) as connection:
        assert connection.execute("select max(release_id) from ops.release").fetchone() == (2,)


def test_what_was_not_told_is_told_with_the_next(marts: str) -> None:
    release(marts, {A: 20, B: 30, P: 50, C: 5})
    release(marts, {A: 20, B: 30, P: 50, C: 6})
    release(marts, {A: 21, B: 30, P: 51, C: 6})
    since = news(marts, 1)
    assert since is not None
    assert since["indicators"] == ["M01-3", "M01-5"]
    # A first event, and one of a warehouse that has begun anew, speak of the release that serves alone.
    for unknown in (None, 99):
        alone = news(marts, unknown)
        assert alone is not None
        assert (alone["release_id"], alone["indicators"]) == (3, ["M01-3"])


def test_what_is_removed_and_what_is_undone_has_changed(marts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    release(marts, {A: 20, B: 30, P: 50, C: 5})
    release(marts, {A: 20, B: 30, P: 50})
    removed = news(marts, 1)
    assert removed is not None
    assert removed["indicators"] == ["M01-5"]
    undo.undo(marts, note="wrong file", manifest=small_manifest())
    undone = news(marts, 2)
    assert undone is not None
    assert (undone["kind"], undone["indicators"]) == ("undo", ["M01-5"])
    release(marts, {A: 1, B: 30, P: 31, C: 6})
    monkeypatch.setattr(telling, "MOST_CODES", 1)
    capped = news(marts, 3)
    assert capped is not None
    assert (capped["indicators"], capped["indicator_count"]) == (["M01-3"], 2)
