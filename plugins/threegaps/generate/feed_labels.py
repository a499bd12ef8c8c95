"""The names of the parts of the breakdown by feed, from the contracts: they stand behind those written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from threegaps.contracts.model import Contract
from threegaps.generate.marts import SEEDS, read_seed, seed_text

BREAKDOWN = "feed"


def render(root: Path, contracts: Iterable[Contract]) -> dict[Path, str]:
    """The seed of the breakdowns' values at *root*, with a value for each feed."""
    by_hand = [row for row in read_seed(root, "seed_breakdown_value") if row["breakdown"] != BREAKDOWN]
    feeds = [
        {
            "breakdown": BREAKDOWN,
            "breakdown_value": contract.feed,
            "name_zh": contract.title_zh,
            "name_en": contract.title_en,
            "sort_order": str(order),
        }
        for order, contract in enumerate(sorted(contracts, key=lambda contract: contract.feed), 1)
    ]
    return {SEEDS / "seed_breakdown_value.csv": seed_text([*by_hand, *feeds])}
