"""What had landed of refused rows: found by row number, and used only where it is shown to be the same row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from threegaps.contracts.model import Contract
from threegaps.warehouse.quarantine import RefusedRow
from threegaps.warehouse.repairs import is_same_row

if TYPE_CHECKING:
    from threegaps.batch.decode import Part


def landed_texts(contract: Contract, part: Part, wanted: Mapping[int, RefusedRow]) -> dict[str, dict[str, str | None]]:
    """The texts of refused rows as they had landed, by token; without those whose number is another row's now.

    Args:
        contract: The contract of now, by which rows are counted.
        part: The landed object.
        wanted: Refused rows of it by row number.

    Raises:
        FeedError: The part cannot be decoded by the contract of now.
    """
    # Late: heavy, and only needed where something was not sent out as it is.
    from threegaps.batch.normalise import Normaliser
    from threegaps.batch.persons import persons_of
    from threegaps.batch.pseudonym import load_key
    from threegaps.batch.quarantine import masked_source, row_tokens
    from threegaps.batch.reading import data_blocks, faulty_block

    key, normaliser = load_key(), Normaliser(contract)
    texts: dict[str, dict[str, str | None]] = {}
    for block in data_blocks(contract, [part], normaliser):
        for rows in (block, faulty_block(contract, block)[0]):
            indexes = [index for index, number in enumerate(rows.row_numbers) if number in wanted]
            if not indexes:
                continue
            frame, numbers = rows.frame[indexes], rows.row_numbers[indexes]
            persons = persons_of(contract, key, normaliser.columns(frame))
            tokens = row_tokens(part.landed_object_id, numbers)
            pseudonyms = None if persons is None else persons.pseudonyms
            kept = masked_source(frame, pseudonyms, tokens, contract.withheld_columns)
            for number, row, shown in zip(
                numbers, frame.iter_rows(named=True), kept.iter_rows(named=True), strict=True
            ):
                if is_same_row(contract, wanted[number].row_data, shown):
                    texts[wanted[number].row_token] = row
    return texts
