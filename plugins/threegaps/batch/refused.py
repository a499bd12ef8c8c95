"""The refused rows of one batch, written for quarantine, each with every rule that it broke."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.decode import FaultyRow, Part, TextBlock
from threegaps.batch.decode.faults import Fault
from threegaps.batch.persons import Persons
from threegaps.batch.quarantine import Other, ReasonWriter, masked_source, quarantine_csv, reason, row_tokens
from threegaps.batch.row_rules import Findings, RowRules
from threegaps.contracts.model import Contract
from threegaps.rules.kinds.identity_in_text import IdentityInText
from threegaps.standards.areas import codes_in_force
from threegaps.standards.identity_in_text import mask_texts, texts_to_mask


class RefusedRows:
    """Writes refused rows as COPY reads them.

    Args:
        contract: The feed's contract.
        rules: Its rules on rows.
        batch_id: The batch's id in the ledger.
        delivery: The delivery's key.
    """

    def __init__(self, contract: Contract, rules: RowRules, *, batch_id: int, delivery: str) -> None:
        self._contract = contract
        self._rules = rules
        self._batch_id = batch_id
        self._delivery = delivery
        self._reasons = ReasonWriter(contract.rules)
        searches = [rule.arguments for rule in contract.rules if isinstance(rule.arguments, IdentityInText)]
        self._exempt = {name for search in searches for name in search.exempt_columns}
        self._own_forms = {name: form for search in searches for name, form in search.own_forms.items()}

    def write(
        self,
        block: TextBlock,
        columns: Mapping[str, BlockColumn],
        persons: Persons | None,
        findings: Findings,
        faults: Sequence[tuple[Fault, ...]] | None = None,
        key_hashes: Callable[[pl.Series], pl.Series] | None = None,
        others: Sequence[Other] | None = None,
    ) -> bytes:
        """The rows of *block* that the findings refuse.

        Args:
            block: The block as text.
            columns: Its columns, normalised and typed.
            persons: The persons of its rows; None where the contract's rows speak of none.
            findings: What the rules say of its rows.
            faults: What could not be had of each of its rows, where that is known.
            key_hashes: Gives the hashes of some rows' keys by their indexes, where they are kept.
            others: Of each of its rows the one that it contradicts, where that is what it is refused for.
        """
        indexes = np.flatnonzero(findings.refused)
        if not len(indexes):
            return b""
        chosen = pl.Series(indexes)
        numbers = block.row_numbers.gather(chosen)
        tokens = row_tokens(block.part.landed_object_id, numbers)
        broken = np.zeros((len(indexes), len(self._contract.rules)), dtype=np.bool_)
        for rule_index, mask in findings.broken.items():
            if self._contract.rules[rule_index].action == "refuse":
                broken[:, rule_index] = mask[indexes]
        pseudonyms = None if persons is None else persons.pseudonyms.gather(chosen)
        withheld = self._contract.withheld_columns
        source = self._without_numbers(masked_source(block.frame[indexes], pseudonyms, tokens, withheld))
        return quarantine_csv(
            batch_id=self._batch_id,
            feed=self._contract.feed,
            delivery=self._delivery,
            landed_object_id=block.part.landed_object_id,
            row_numbers=numbers,
            tokens=tokens,
            counties=self._counties(columns, chosen),
            row_data=source.to_struct("row").struct.json_encode(),
            reasons=self._written(
                broken,
                None if faults is None else [faults[index] for index in indexes.tolist()],
                None if others is None else [others[index] for index in indexes.tolist()],
            ),
            key_hashes=None if key_hashes is None else key_hashes(chosen),
        )

    def _written(
        self,
        broken: npt.NDArray[np.bool_],
        faults: Sequence[tuple[Fault, ...]] | None,
        others: Sequence[Other] | None,
    ) -> pl.Series:
        if faults is not None:
            return self._reasons.write_with(broken, [self._faults(one) for one in faults])
        if others is None:
            return self._reasons.write(broken)
        key = self._rules.key
        broken[:, self._rules.key_index] = False
        own = [[reason(key, key.column, key.message_zh, key.message_en) | other.as_reason()] for other in others]
        return self._reasons.write_with(broken, own)

    def write_shapeless(self, part: Part, rows: Sequence[FaultyRow]) -> bytes:
        """Rows of *part* with too many or too few fields: which field is which is unknown, so none of them is shown."""
        if not rows:
            return b""
        numbers = pl.Series("row_number", [row.row_number for row in rows], dtype=pl.Int32)
        broken = np.zeros((len(rows), len(self._contract.rules)), dtype=np.bool_)
        broken[:, self._rules.shape_index] = [row.fields is not None for row in rows]
        return quarantine_csv(
            batch_id=self._batch_id,
            feed=self._contract.feed,
            delivery=self._delivery,
            landed_object_id=part.landed_object_id,
            row_numbers=numbers,
            tokens=row_tokens(part.landed_object_id, numbers),
            counties=pl.repeat(None, len(numbers), dtype=pl.String, eager=True),
            row_data=pl.Series("row_data", [_shape(row) for row in rows]),
            reasons=self._reasons.write_with(broken, [self._faults(row.faults) for row in rows]),
        )

    def _without_numbers(self, source: pl.DataFrame) -> pl.DataFrame:
        """The texts with identity numbers masked wherever they stand, but in what the rule on them exempts."""
        searched = [name for name in source.columns if name not in self._exempt]
        # Hardly ever is there any: all columns are looked through at once before each by itself.
        joined = pl.concat([pl.Series(dtype=pl.String), *(source[name].alias("") for name in searched)])
        if not texts_to_mask(joined).any():
            return source
        fresh = []
        for name in searched:
            texts, own_form = source[name], self._own_forms.get(name)
            masked = mask_texts(texts)
            if masked is texts:
                continue
            if own_form is not None:
                masked = masked.zip_with(~texts.str.contains(own_form).fill_null(value=False), texts)
            fresh.append(masked)
        return source.with_columns(fresh)

    def _faults(self, faults: tuple[Fault, ...]) -> list[dict[str, str | None]]:
        labels = self._contract.by_name
        return [
            reason(
                self._rules.readable,
                fault.column,
                fault.reason_zh(labels[fault.column].description_zh if fault.column else None),
                fault.reason_en(),
            )
            | {"fault": fault.kind.name}
            for fault in faults
        ]

    def _counties(self, columns: Mapping[str, BlockColumn], chosen: pl.Series) -> pl.Series:
        """The first county of each chosen row that is one; null where there is none."""
        known = list(codes_in_force(("county", "city", "province")))
        found = pl.repeat(None, len(chosen), dtype=pl.String, eager=True)
        for name in self._contract.touch.county_columns:
            codes = columns[name].text.gather(chosen)
            valid = pl.DataFrame({"code": codes}).select(pl.when(pl.col("code").is_in(known)).then("code")).to_series()
            found = pl.select(pl.coalesce(found, valid)).to_series()
        return found


def _shape(row: FaultyRow) -> str:
    return "{}" if row.fields is None else f'{{"fields":{row.fields}}}'
