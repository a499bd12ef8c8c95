"""The truth's measures of inequality against other formulas of the same, and their identities."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sandbox.truth.inequality import gini, theil, theil_parts


def test_gini_is_half_the_relative_mean_difference() -> None:
    values = np.random.default_rng(5).lognormal(8.8, 0.4, 301)
    differences = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(pl.Series(values)) == pytest.approx(differences / (2 * values.mean()), abs=1e-12)


@pytest.mark.parametrize(("values", "expected"), [([5.0, 5.0, 5.0], 0.0), ([0.0, 0.0, 0.0, 1.0], 0.75)])
def test_gini_of_equals_and_of_one_who_has_all(values: list[float], expected: float) -> None:
    assert gini(pl.Series(values)) == pytest.approx(expected, abs=1e-12)


def test_theil_is_the_mean_of_ratios_times_their_logarithms() -> None:
    rng = np.random.default_rng(6)
    persons, means = rng.integers(1, 400, 90), rng.uniform(4_000, 9_000, 90)
    # every person with the mean of the county
    ratios = np.repeat(means, persons) / np.repeat(means, persons).mean()
    expected = float((ratios * np.log(ratios)).mean())
    assert theil(list(zip(persons.tolist(), means.tolist(), strict=True))) == pytest.approx(expected, abs=1e-12)


def test_what_lies_between_and_within_is_the_whole() -> None:
    rng = np.random.default_rng(7)
    pairs = list(zip(rng.integers(1, 400, 90).tolist(), rng.uniform(4_000, 9_000, 90).tolist(), strict=True))
    is_listed = (rng.random(90) < 0.3).tolist()
    assert sum(theil_parts(pairs, is_listed)) == pytest.approx(theil(pairs), abs=1e-12)
    # of one group everything lies within
    between, within = theil_parts(pairs, [True] * 90)
    assert (between, within) == (pytest.approx(0.0, abs=1e-12), pytest.approx(theil(pairs), abs=1e-12))
