"""The views for charts: what stands in none of them is found by nobody."""

from __future__ import annotations

from threegaps.generate.marts import read_seed
from threegaps.labels import PERIOD_TYPES
from threegaps.release.named import PERIOD_VIEWS
from threegaps.settings import Settings


def test_every_kind_of_period_has_a_view_of_its_own() -> None:
    rows = read_seed(Settings.load().root, "seed_indicator")
    used = {kind for row in rows for kind in row["period_types"].split(",")}
    assert used == set(PERIOD_TYPES)
    assert sorted(kind for kind, *_ in PERIOD_VIEWS.values()) == sorted(used)
