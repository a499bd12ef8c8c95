"""The order in which a batch's parts are judged."""

from __future__ import annotations

import io
from dataclasses import replace

from tests.unit.batch.batches import WAGES
from threegaps.batch.decode import Part
from threegaps.batch.reading import in_order


def part(name: str, number: int) -> Part:
    return Part(number, name, io.BytesIO, "correction" in name, False)


def test_the_tenth_correction_comes_before_the_second_and_the_parts_after_all() -> None:
    names = [f"wage_202407_{kind}.csv.gz" for kind in ("part01of01", "correction1", "correction10", "correction2")]
    parts = [part(name, number) for number, name in enumerate(names, 1)]
    found = [one.source_name for one in in_order(WAGES, parts)]
    assert found == [names[2], names[3], names[1], names[0]]
    # Where rows have no correction number, parts stay as they came.
    assert in_order(replace(WAGES, version_column=None), parts) == tuple(parts)
