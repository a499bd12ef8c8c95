"""Every built indicator has a truth, and every truth is registered where it is computed."""

from __future__ import annotations

import csv
from datetime import date

import polars as pl
import pytest

from sandbox import truth
from sandbox.truth import registry
from sandbox.truth.cells import Cells
from sandbox.truth.periods import Period
from threegaps.settings import Settings

ROOT = Settings.load().root


def test_every_built_indicator_has_a_truth() -> None:
    with (ROOT / "dbt_project" / "seeds" / "seed_indicator.csv").open(encoding="utf-8", newline="") as seed:
        built = {row["indicator_code"] for row in csv.DictReader(seed) if row["is_built"].lower() == "true"}
    assert built
    assert set(truth.codes()) == built


def test_an_indicator_is_computed_once() -> None:
    with pytest.raises(ValueError, match="M01-1 is computed twice"):
        registry.computes("M01-1")(lambda cells, known: None)


def test_what_is_computed_is_what_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    row = pl.DataFrame({"area_code": ["330000"], "numerator": [1], "denominator": [2], "n_persons": [2]})

    def one(cells: Cells, known: object) -> None:
        cells.add("X-1", Period("month", date(2026, 6, 1), date(2026, 6, 30)), row)

    monkeypatch.setattr(registry, "_COMPUTATIONS", {"X-1": one})
    assert registry.compute(None).codes() == {"X-1"}  # type: ignore[arg-type]  # nothing known is asked for
    monkeypatch.setattr(registry, "_COMPUTATIONS", {"X-1": one, "X-2": one})
    with pytest.raises(ValueError, match="X-2"):
        registry.compute(None)  # type: ignore[arg-type]
