"""The persons that a block's rows speak of: their pseudonyms, and what identity numbers say besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.pseudonym import PseudonymKey, pseudonyms
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.standards.identifiers import RESIDENT_CARD, ResidentIds


@dataclass(frozen=True, slots=True)
class Persons:
    """The person of each row: the pseudonym (null without a valid document), and what an identity number says."""

    pseudonyms: pl.Series
    residents: ResidentIds

    def birth_years_and_sexes(self) -> tuple[pl.Series, pl.Series]:
        """Year of birth and sex (M, F) of each row, null without a valid identity number."""
        frame = pl.DataFrame(
            {
                "year": pl.Series((self.residents.birth // 10_000).astype(np.int16)),
                "known": pl.Series(self.residents.is_valid),
                "male": pl.Series(self.residents.is_male),
            }
        )
        derived = frame.select(
            pl.when("known").then("year").alias("birth_year"),
            pl.when("known").then(pl.when("male").then(pl.lit("M")).otherwise(pl.lit("F"))).alias("sex"),
        )
        return derived["birth_year"], derived["sex"]


def persons_of(contract: Contract, key: PseudonymKey, columns: Mapping[str, BlockColumn]) -> Persons | None:
    """The persons of a block's rows; None where the contract's rows speak of none.

    Args:
        contract: The feed's contract.
        key: The pseudonym key in force.
        columns: The block's columns, normalised and typed.
    """
    if not contract.has_person:
        return None
    texts, types = columns[PERSON_COLUMN].text, columns["id_type"].text
    residents = columns[PERSON_COLUMN].resident_ids()
    is_card = (types == RESIDENT_CARD).fill_null(value=False).to_numpy()
    is_other = (types.is_not_null() & (types != RESIDENT_CARD) & texts.is_not_null()).fill_null(value=False)
    is_document = (is_card & residents.is_valid) | is_other.to_numpy()
    if is_document.all():
        hashed = pseudonyms(key, texts)
    else:
        chosen = pl.Series(is_document)
        hashed = pl.repeat(None, len(texts), dtype=pl.String, eager=True).scatter(
            chosen.arg_true(), pseudonyms(key, texts.filter(chosen))
        )
    if is_other.any():
        card = residents.is_valid & is_card
        residents = ResidentIds(card, np.where(card, residents.birth, 0), residents.is_male & card)
    return Persons(hashed.alias("person_id"), residents)
