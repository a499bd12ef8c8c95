"""A feed of lists whose cadence changes: the list that stands for the later day is the newer one."""

from __future__ import annotations

import dataclasses

import pytest

from tests.integration.faults.conftest import point_at
from tests.integration.sequences import small_contracts
from tests.integration.sequences.model import Model, Row
from tests.integration.sequences.scene import Scene
from tests.integration.sequences.test_sequences import Run, standing
from threegaps import feed_run
from threegaps.calendar import Cadence

pytestmark = pytest.mark.integration

FEED = small_contracts.LISTS
LAST: dict[Cadence, str] = {"month": "2026-12", "quarter": "2026Q4"}


@pytest.mark.parametrize(
    ("lists", "stands"),
    [
        ([("quarter", "2026Q1"), ("month", "2026-02"), ("month", "2026-03")], ["2026Q1", "2026Q1", "2026-03"]),
        ([("month", "2026-02"), ("quarter", "2026Q1"), ("month", "2026-04")], ["2026-02", "2026Q1", "2026-04"]),
        ([("month", "2026-05"), ("quarter", "2026Q2"), ("quarter", "2026Q1")], ["2026-05", "2026Q2", "2026Q2"]),
        ([("month", "2026-06"), ("quarter", "2026Q2"), ("quarter", "2026Q3")], ["2026-06", "2026-06", "2026Q3"]),
    ],
    ids=["quarter to month", "to quarter and back", "month to quarter", "of one last day"],
)
def test_of_two_lists_the_one_of_the_later_day_stands(
    scene: Scene, lists: list[tuple[Cadence, str]], stands: list[str]
) -> None:
    scene.clear()
    run = Run(scene, FEED, "full_list", Model("full_list", 0.5, 10))
    contract, numbers = scene.contracts[FEED], {}
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, scene.dsn, scene.landing)
        for (cadence, delivery), newest in zip(lists, stands, strict=True):
            of_now = dataclasses.replace(contract, cadence=cadence, first_delivery=delivery)
            patch.setitem(scene.contracts, FEED, of_now)
            numbers[delivery] = str(len(numbers))
            run._land(delivery, "file", rows=(Row("a", "2026-01", numbers[delivery]), Row(delivery, "2026-01", "1")))
            run.pending.clear()
            feed_run.load(FEED, LAST[cadence])
            # The others' rows are gone, or have never stood; and one key says what the newest list does.
            assert standing(scene.dsn, of_now) == {("a", ""): numbers[newest], (newest, ""): "1"}
