"""Bounds of every count from the bounds of its neighbours, until nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from tests.disclosure.attacker.matrix import Integers, Matrix
from tests.disclosure.attacker.system import FAR, Share

# Enough for any chain in a published table; each round passes what is known over one more equation.
MOST_ROUNDS = 200
# Pairs of part and whole are tried one by one where the whole has at most so many possible values.
MOST_TRIED = 2_000


def propagate(matrix: Matrix, shares: Sequence[Share], low: Integers, high: Integers) -> None:
    """Narrow *low* and *high* in place.

    Raises:
        ValueError: No counts fit what is published.
    """
    is_moved = np.ones(len(low), np.bool_)
    for _ in range(MOST_ROUNDS):
        before = low.copy(), high.copy()
        # only equations of counts that have moved can move others
        is_waiting = np.zeros(matrix.n_rows, np.bool_)
        is_waiting[matrix.rows[is_moved[matrix.columns]]] = True
        _pass_over_equations(matrix.of_entries(is_waiting[matrix.rows]), low, high)
        for share in shares:
            _narrow_by_share(share, low, high)
        if (low > high).any():
            raise ValueError("no counts fit what is published")
        is_moved = (low != before[0]) | (high != before[1])
        if not is_moved.any():
            return


def _pass_over_equations(matrix: Matrix, low: Integers, high: Integers) -> None:
    is_whole = matrix.signs > 0
    lowest = np.where(is_whole, low[matrix.columns], -high[matrix.columns])
    highest = np.where(is_whole, high[matrix.columns], -low[matrix.columns])
    # what the others of the equation add up to, at least and at most
    least = _sums(matrix, lowest)[matrix.rows] - lowest
    most = _sums(matrix, highest)[matrix.rows] - highest
    np.maximum.at(low, matrix.columns, np.clip(np.where(is_whole, -most, least), 0, FAR))
    np.minimum.at(high, matrix.columns, np.clip(np.where(is_whole, -least, most), -1, FAR))


def _sums(matrix: Matrix, entries: Integers) -> Integers:
    sums = np.zeros(matrix.n_rows, np.int64)
    np.add.at(sums, matrix.rows, entries)
    return sums


def _narrow_by_share(share: Share, low: Integers, high: Integers) -> None:
    part, whole = share.part, share.whole
    _narrow(part, _ceiling(share.lowest * int(low[whole])), _floor(share.highest * int(high[whole])), low, high)
    if share.lowest > 0:
        _narrow(whole, 0, _floor(int(high[part]) / share.lowest), low, high)
    if share.highest > 0:
        _narrow(whole, _ceiling(int(low[part]) / share.highest), FAR, low, high)
    if high[whole] - low[whole] <= MOST_TRIED:
        _try_each(share, low, high)


def _try_each(share: Share, low: Integers, high: Integers) -> None:
    """Only wholes over which some whole number of persons gives the published share are possible."""
    fitting = []
    for whole in range(int(low[share.whole]), int(high[share.whole]) + 1):
        least = max(_ceiling(share.lowest * whole), int(low[share.part]))
        most = min(_floor(share.highest * whole), int(high[share.part]))
        if least <= most:
            fitting.append((whole, least, most))
    if not fitting:
        raise ValueError("no counts fit a published share")
    _narrow(share.whole, fitting[0][0], fitting[-1][0], low, high)
    _narrow(share.part, min(least for _, least, _ in fitting), max(most for _, _, most in fitting), low, high)


def _narrow(number: int, lowest: int, highest: int, low: Integers, high: Integers) -> None:
    low[number] = max(int(low[number]), lowest)
    high[number] = min(int(high[number]), highest)


def _ceiling(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator
