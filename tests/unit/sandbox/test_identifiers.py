"""Check digits of the synthetic identifiers, against a second reading of the standards."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox import identifiers
from sandbox.population import Population

WEIGHTS = [2 ** (17 - place) % 11 for place in range(17)]


def resident_is_valid(document: str) -> bool:
    """ISO 7064 MOD 11-2, written from its definition rather than from the table of weights."""
    total = sum(int(digit) * weight for digit, weight in zip(document[:17], WEIGHTS, strict=True))
    check = 10 if document[17] == "X" else int(document[17])
    return (total + check) % 11 == 1


def test_the_second_reading_knows_published_examples() -> None:
    assert resident_is_valid("360426199101010071")
    assert not resident_is_valid("230307196304054513")


def test_every_resident_id_is_valid_unique_and_never_issued(population: Population) -> None:
    documents = population.persons.filter(pl.col("id_type") == "01")["resident_id"]
    assert documents.n_unique() == len(documents)
    assert documents.str.starts_with("3399").all()
    assert all(resident_is_valid(document) for document in documents)


def test_resident_ids_tell_birth_and_sex(population: Population) -> None:
    persons = population.persons.filter(pl.col("id_type") == "01")
    assert (persons["resident_id"].str.slice(6, 8) == persons["birth"].dt.strftime("%Y%m%d")).all()
    odd = persons["resident_id"].str.slice(16, 1).cast(pl.Int64) % 2 == 1
    assert (odd == persons["male"]).all()


def test_social_credit_codes_have_their_check_character() -> None:
    codes = identifiers.social_credit_codes(np.arange(5_000, dtype=np.int64))
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for code in codes.tolist():
        total = sum(alphabet.index(letter) * pow(3, place, 31) for place, letter in enumerate(code[:17]))
        assert (total + alphabet.index(code[17])) % 31 == 0
