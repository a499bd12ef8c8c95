"""Each kind of dirt changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sandbox import dirt, source_rows
from sandbox.population import Population

KINDS = {
    "trainings": dirt.training_kinds,
    "employment": dirt.employment_kinds,
    "certificates": dirt.certificate_kinds,
}


@pytest.mark.parametrize("feed", KINDS)
def test_every_kind_is_met_at_a_high_rate(population: Population, feed: str) -> None:
    rows = getattr(source_rows, feed)(population)
    kinds = KINDS[feed]()
    spoilt = dirt.spoil(rows, kinds, 0.6, np.random.default_rng(5))
    assert set(spoilt["_kind"]) - {""} == {kind.name for kind in kinds}


@pytest.mark.parametrize("feed", KINDS)
def test_clean_rows_stay_as_they_were(population: Population, feed: str) -> None:
    rows = getattr(source_rows, feed)(population)
    spoilt = dirt.spoil(rows, KINDS[feed](), 0.1, np.random.default_rng(5))
    clean = spoilt.filter(pl.col("_kind") == "").drop("_kind", "_rules")
    assert clean.join(rows, on=rows.columns, how="anti", nulls_equal=True).is_empty()
    added = len(spoilt) - len(rows)
    assert added == sum(spoilt["_kind"].is_in([kind.name for kind in KINDS[feed]() if kind.duplicate]))


def test_the_rate_is_kept(population: Population) -> None:
    rows = source_rows.employment(population)
    spoilt = dirt.spoil(rows, dirt.employment_kinds(), 0.1, np.random.default_rng(5))
    share = (spoilt["_kind"] != "").sum() / len(rows)
    # Kinds that do not fit a row leave it clean.
    assert 0.05 < share <= 0.1


def test_nothing_is_dirty_at_rate_zero(population: Population) -> None:
    rows = source_rows.employment(population)
    assert (dirt.spoil(rows, dirt.employment_kinds(), 0.0, np.random.default_rng(5))["_kind"] == "").all()


def test_names_of_kinds_are_unique() -> None:
    for kinds in (*KINDS.values(), dirt.wage_kinds, dirt.roster_kinds):
        names = [kind.name for kind in kinds()]
        assert len(names) == len(set(names))
