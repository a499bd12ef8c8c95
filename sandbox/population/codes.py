"""Codes and figures that the parts of the population share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sandbox import calendar, identifiers

EMPLOYED_IN_PROVINCE = 39_000_000
SHARE_EMPLOYED = 0.834
# Far below the published 34.6 %, which is another measure: nobody should take one for the other.
SHARE_SKILLED = 0.29
SHARE_HIGH_OF_SKILLED = 0.352
TRAININGS_A_YEAR = 1_200_000
FIRST_MONTH, FIRST_WAGE_MONTH = np.datetime64(calendar.FIRST_MONTH), np.datetime64(calendar.FIRST_WAGE_MONTH)
# The population lives on for some months after the horizon, so that nothing thins out before it.
LAST_DAY = np.datetime64(calendar.HORIZON) + 150
NOT_A_DATE = np.datetime64("NaT", "D")
LEVELS = np.array(["5", "4", "3", "2", "1", "T", "S"])
INDUSTRIES = np.array(list("ABCDEFGHIJKLMNOPQRST"))
INDUSTRY_SHARE = np.array(
    [2, 0.3, 38, 0.8, 0.7, 11, 14, 4.5, 4.5, 4, 1.6, 1.5, 3, 1.8, 0.8, 2.5, 4, 3, 1, 1], dtype=float
)
OCCUPATIONS = np.array(
    ["6-18-01-01", "6-18-02-04", "6-20-01-01", "6-25-04-02", "6-29-02-01", "6-31-01-03", "6-12-03-01", "4-02-02-01",
     "4-04-05-03S", "4-04-05-06S", "4-03-02-01", "4-10-01-01", "4-10-01-05", "4-14-01-02", "4-09-10-01L", "5-01-02-03",
     "6-29-01-01", "4-02-05-01", "2-02-10-09S", "4-99-00-01"]
)  # fmt: skip
Dates = NDArray[np.datetime64]


def days(rng: np.random.Generator, first: str | np.datetime64, last: str | np.datetime64, size: int) -> Dates:
    """Uniform days from `first` to `last`, both included."""
    begin = np.datetime64(first)
    return begin + rng.integers(0, (np.datetime64(last) - begin).astype(int) + 1, size)


def coded(letter: str, numbers: NDArray[np.int64], width: int) -> NDArray[np.str_]:
    """`letter` and the zero-padded number."""
    return np.char.add(
        letter, identifiers.to_text(identifiers.fixed_digits(np.asarray(numbers, dtype=np.int64), width))
    )
