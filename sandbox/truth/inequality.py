"""How unequal wages are: the Gini coefficient from the Lorenz curve, and Theil's T with its parts."""

from __future__ import annotations

from math import log

import numpy as np
import polars as pl


def gini(values: pl.Series) -> float:
    """One less twice the area below the Lorenz curve: 0 where all have the same."""
    ordered = np.sort(values.to_numpy().astype(np.float64))
    shares = np.concatenate([[0.0], np.cumsum(ordered) / ordered.sum()])
    return float(1 - (shares[1:] + shares[:-1]).sum() / len(ordered))


def theil(means: list[tuple[int, float]]) -> float:
    """T over groups of so many persons with such a mean, against the mean of all of them."""
    persons = sum(number for number, _ in means)
    mean_of_all = sum(number * mean for number, mean in means) / persons
    return sum(number / persons * mean / mean_of_all * log(mean / mean_of_all) for number, mean in means)


def theil_parts(means: list[tuple[int, float]], is_listed: list[bool]) -> tuple[float, float]:
    """What of T lies between the listed and the rest, and what within the two."""
    sides = [[pair for pair, listed in zip(means, is_listed, strict=True) if listed is side] for side in (True, False)]
    wages = sum(number * mean for number, mean in means)
    pooled = [
        (sum(number for number, _ in side), sum(number * mean for number, mean in side)) for side in sides if side
    ]
    between = theil([(number, total / number) for number, total in pooled])
    within = sum(total / wages * theil(side) for (_, total), side in zip(pooled, filter(None, sides), strict=True))
    return between, within
