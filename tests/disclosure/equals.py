"""Pairs of counts that are equal everywhere in the sandbox and differ in life, each with its reason."""

from __future__ import annotations

from pathlib import Path

import yaml

PAIRS = Path(__file__).with_name("equal_in_the_sandbox.yml")


def equal_in_the_sandbox() -> set[frozenset[tuple[str, ...]]]:
    """Measure, part, breakdown and value of both counts of each pair."""
    entries = yaml.safe_load(PAIRS.read_text(encoding="utf-8"))
    return {frozenset(tuple(name.split(", ")) for name in entry["counts"]) for entry in entries}
