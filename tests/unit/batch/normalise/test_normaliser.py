"""The order of normalisations, and all of them together on a block."""

from __future__ import annotations

import typing

from threegaps.batch.normalise import normaliser
from threegaps.contracts.options.normalisations import Normalisation


def test_every_normalisation_that_a_contract_may_declare_has_its_function() -> None:
    union = typing.get_args(Normalisation)[0]
    kinds = {typing.get_args(option.model_fields["kind"].annotation)[0] for option in typing.get_args(union)}
    known = normaliser.CLEANING.keys() | normaliser.READING.keys() | normaliser.ELSEWHERE
    assert kinds == known
