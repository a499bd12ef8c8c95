"""Kinds of readers: what each may read, how much it may ask for at once, and the settings of its login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Kind = Literal["bi", "county", "statistician"]

MEMBER_OF: Mapping[Kind, Sequence[str]] = {
    "bi": ("bi_reader",),
    "county": ("county_reader",),
    "statistician": ("bi_reader", "statistician"),
}
"""The groups of each kind of reader."""

CONNECTIONS: Mapping[Kind, int] = {"bi": 40, "county": 5, "statistician": 5}
"""How many sessions a login may have at once: a BI tool has a pool, a person a few windows."""

# PostgreSQL lets every login change its own password and settings, but not in a transaction that only reads.
_READS_ONLY = {"default_transaction_read_only": "on"}

SETTINGS: Mapping[Kind, Mapping[str, str]] = {
    "bi": _READS_ONLY,
    "county": _READS_ONLY,
    # What is asked is logged. Terse lines would leave out the values that a tool sends apart from its statement; a
    # reader's errors quote no row.
    "statistician": {**_READS_ONLY, "log_statement": "all", "log_error_verbosity": "default"},
}
"""Settings of a login within the warehouse; its other limits are the database's, for every login alike."""
