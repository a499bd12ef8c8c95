"""The true value of every indicator, computed with polars from what remains after refusals, corrections and
withdrawals by the opening day.

For tests only. It follows the written definition of each indicator and shares no code with the pipeline. All areas:
counties, what is no county (省外, 不详, 省本级, 市本级), cities, province and groups as their members stand at the end
of the period. Periods: the window 2024-01..2026-06, of wages alone from 2023-01 on (and the real periods of the
published figures); cohort periods only once they have matured. Nothing is suppressed here. A cell without a denominator
(or with a count of zero) does not exist. `value` is rounded to 4 decimals; numerator and denominator are not rounded.

Each module, of a measure, an action, a gap or the questions asked first, registers the codes that it computes.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Collection
from importlib import import_module
from pathlib import Path

import polars as pl

from sandbox.feeds.model import Scene
from sandbox.truth.cells import SCHEMA
from sandbox.truth.known import known
from sandbox.truth.registry import codes, compute

__all__ = ["codes", "write"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def write(folder: Path, scene: Scene, wanted: Collection[str] | None = None) -> None:
    """Compute all indicators, or those that are wanted, and write `indicators.parquet`."""
    cells = compute(known(scene), wanted)
    pl.concat(cells.frames).cast(SCHEMA).sort(list(SCHEMA)[:6]).write_parquet(folder / "indicators.parquet")
