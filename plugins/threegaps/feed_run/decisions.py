"""Decisions of people: what one must say, and how it lies in landing, for a warehouse that is built anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psycopg

from threegaps.errors import LedgerError
from threegaps.landing.store import LandingStore
from threegaps.ledger.landed import LandedObject
from threegaps.standards.white_space import is_blank

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LONGEST = 2000


def check_words(feed: str, words: Mapping[str, str]) -> None:
    """Refuse a decision that does not say who takes it, or why.

    Args:
        feed: The feed that it is about.
        words: What was written, by what it has to say.

    Raises:
        LedgerError: Something is empty, or too long to be read.
    """
    for what, text in words.items():
        if is_blank(text) or len(text) > _LONGEST:
            raise LedgerError(
                f"Say {what}, in 1 to {_LONGEST} characters.",
                feed=feed,
                advice='write --why "..." --by NAME: both are kept in the ledger.',
            )


def land_decision(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    feed: str,
    delivery: str,
    prefix: str,
    decision: DataclassInstance,
) -> LandedObject:
    """Land a decision beside a delivery of the feed.

    Args:
        prefix: How the part names of its kind begin.
        decision: All that it says; it is read as JSON.
    """
    content = json.dumps(asdict(decision), ensure_ascii=False, indent=1).encode("utf-8")
    return store.land_own(connection, feed, delivery, prefix, content, suffix=".json")
