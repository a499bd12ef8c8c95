"""Each kind of dirt changes what it says and nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import polars as pl
import pytest

from sandbox import feeds
from sandbox.dirt.spoil import apply_plan, spoil
from sandbox.feeds.hrss import certificates, employment_registrations, training_enrollments
from sandbox.population import Population

MODULES: dict[str, Any] = {
    module.NAME: module for module in (training_enrollments, employment_registrations, certificates)
}


@pytest.mark.parametrize("feed", MODULES)
def test_every_kind_is_met_at_a_high_rate(population: Population, feed: str) -> None:
    module = MODULES[feed]
    spoilt = spoil(module.rows(population), module.kinds(), 0.6, np.random.default_rng(5))
    assert set(spoilt["_kind"]) - {""} == {kind.name for kind in module.kinds()}


@pytest.mark.parametrize("feed", MODULES)
def test_clean_rows_stay_as_they_were(population: Population, feed: str) -> None:
    module = MODULES[feed]
    rows, kinds = module.rows(population), module.kinds()
    spoilt = spoil(rows, kinds, 0.1, np.random.default_rng(5))
    clean = spoilt.filter(pl.col("_kind") == "").drop("_kind", "_rules", "_is_double")
    assert clean.join(rows, on=rows.columns, how="anti", nulls_equal=True).is_empty()
    added = len(spoilt) - len(rows)
    assert added == sum(spoilt["_kind"].is_in([kind.name for kind in kinds if kind.duplicate]))


def test_the_rate_is_kept(population: Population) -> None:
    rows = employment_registrations.rows(population)
    spoilt = spoil(rows, employment_registrations.kinds(), 0.1, np.random.default_rng(5))
    share = (spoilt["_kind"] != "").sum() / len(rows)
    # Kinds that do not fit a row leave it clean.
    assert 0.05 < share <= 0.1


def test_nothing_is_dirty_at_rate_zero(population: Population) -> None:
    rows = employment_registrations.rows(population)
    spoilt = spoil(rows, employment_registrations.kinds(), 0.0, np.random.default_rng(5))
    assert (spoilt["_kind"] == "").all()


def test_a_list_that_comes_again_is_dirty_where_it_was(population: Population) -> None:
    kinds = certificates.kinds()
    rows = certificates.rows(population).head(50)
    kind_of = {rows["certificate_number"][3]: "number_first_letter", rows["certificate_number"][7]: "exact_duplicate"}
    spoilt = apply_plan(rows, kinds, kind_of, "certificate_number")
    assert len(spoilt) == 51
    assert spoilt["_kind"].to_list().count("exact_duplicate") == 1
    assert spoilt["_is_double"].arg_true().to_list() == [8]
    assert [row for row, kind in enumerate(spoilt["_kind"]) if kind == "number_first_letter"] == [3]


@pytest.mark.parametrize("feed", [feed.name for feed in feeds.every()])
def test_names_of_kinds_are_unique(feed: str) -> None:
    module = import_module(f"sandbox.feeds.{feed.replace('/', '.')}")
    names = [kind.name for kind in getattr(module, "kinds", list)()]
    assert len(names) == len(set(names))
