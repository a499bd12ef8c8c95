"""Keyed hashes of rows' keys: by them a refusal is known to be settled when its key is accepted later.

Only feeds of changes need it: any other delivery is whole, and replaces what was refused of the one before. The key
itself is not kept: it may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.persons import Persons
from threegaps.batch.pseudonym import PseudonymKey, pseudonyms
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN

_SEPARATOR = "\x1f"


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
