"""Kinds of logins but the pipeline's: what each may read, how much it may ask for at once, and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Kind = Literal["bi", "county", "statistician", "duty"]

MEMBER_OF: Mapping[Kind, Sequence[str]] = {
    "bi": ("bi_reader",),
    "county": ("county_reader",),
    "statistician": ("bi_reader", "statistician"),
    "duty": ("bi_reader", "duty_desk"),
}
"""The groups of each kind of reader."""

CONNECTIONS: Mapping[Kind, int] = {"bi": 40, "county": 5, "statistician": 5, "duty": 40}
"""How many sessions a login may have at once: BI tools and servers have a pool, a person a few windows."""

# PostgreSQL lets every login change its own password and settings, but not in a transaction that only reads.
_READS_ONLY = {"default_transaction_read_only": "on"}

SETTINGS: Mapping[Kind, Mapping[str, str]] = {
    "bi": _READS_ONLY,
    "county": _READS_ONLY,
    # What is asked is logged. Terse lines would leave out the values that a tool sends apart from its statement; a
    # reader's errors quote no row.
    "statistician": {**_READS_ONLY, "log_statement": "all", "log_error_verbosity": "default"},
    # What the page changes it changes in sessions that say so.
    "duty": _READS_ONLY,
}
"""Settings of a login within the warehouse; its other limits are the database's, for every login alike."""
