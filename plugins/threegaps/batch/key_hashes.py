"""Keyed hashes of rows' keys: by them a refused row is known again, whether it comes right or wrong in another way.

The key itself is not kept: it may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.persons import Persons
from threegaps.batch.pseudonym import PseudonymKey, pseudonyms
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True, eq=False)
class WaitedFor:
    """The rows of a feed that somebody waits for: refused ones, and those that a ticket asks about.

    Args:
        keys: Hashes of their keys.
        persons: Pseudonyms of their persons, where the feed's key has one: only rows of theirs have to be hashed.
    """

    keys: frozenset[str] = frozenset()
    persons: pl.Series | None = None

    def maybe(self, contract: Contract, persons: Persons | None, rows: pl.Series) -> pl.Series:
        """Those of *rows*, indexes of a block's rows, that may be among them: the others need no hash."""
        if self.persons is None or persons is None or PERSON_COLUMN not in contract.key:
            return rows
        return rows.filter(persons.pseudonyms.gather(rows).is_in(self.persons.implode()))


def waited_for(rows: Sequence[tuple[str, str | None]]) -> WaitedFor:
    """Rows that are waited for, by the hash of each one's key and the pseudonym of its person, where it has one."""
    persons = {person for _, person in rows}
    return WaitedFor(
        frozenset(key for key, _ in rows), None if None in persons else pl.Series(list(persons), dtype=pl.String)
    )


def key_hashes(
    contract: Contract,
    key: PseudonymKey,
    columns: Mapping[str, BlockColumn],
    persons: Persons | None,
    rows: pl.Series,
) -> pl.Series:
    """The hash of the key of each of *rows*, as 32 hexadecimal digits; null where a part of it is missing or wrong.

    Args:
        contract: The feed's contract.
        key: The pseudonym key in force.
        columns: A block's columns, normalised and typed.
        persons: The persons of its rows, whose pseudonyms stand for their document numbers.
        rows: Indexes of rows of the block.
    """
    parts = [
        persons.pseudonyms if name == PERSON_COLUMN and persons is not None else columns[name].typed
        for name in contract.key
    ]
    named = pl.DataFrame([part.gather(rows).cast(pl.String).alias(str(index)) for index, part in enumerate(parts)])
    # The feed's name keeps a hash from being compared with one of another feed, or with a pseudonym.
    texts = named.select(pl.concat_str(pl.lit(contract.feed), pl.all(), separator=_SEPARATOR)).to_series()
    present = texts.is_not_null()
    hashes = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    return hashes.scatter(present.arg_true(), pseudonyms(key, texts.filter(present))) if present.any() else hashes
