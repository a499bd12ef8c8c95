"""The floor and the cap of contribution bases follow from the minimum wages that were published."""

from __future__ import annotations

import csv
from pathlib import Path

from sandbox.population.wages import CAP_CNY, FLOOR_CNY

PUBLISHED = Path(__file__).resolve().parents[3] / "sandbox/published/zj_minimum_wage.csv"


def test_floor_and_cap_are_multiples_of_the_minimum_wages() -> None:
    """Assumed: twice the lowest of 2024, and about ten times the highest."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        wages = [int(row["monthly_yuan"]) for row in csv.DictReader(file) if row["valid_from"] == "2024-01-01"]
    assert len(wages) == 3
    assert 2 * min(wages) == FLOOR_CNY
    assert abs(CAP_CNY / max(wages) - 10) < 0.02
