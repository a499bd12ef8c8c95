"""dbt's staging layer, from the contracts: for each feed a view without logic, its source and its enforced contract.

Names, types and texts are the raw table's; nobody adds to them by hand, so the two cannot come to differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from threegaps.calendar import Cadence
from threegaps.contracts.labels import bilingual
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import RawColumn, raw_columns, raw_key, staged_columns

FOLDER = Path("dbt_project") / "models" / "staging"

# Days without a load after which dbt warns, and those after which it fails: a delivery's length and what is usually
# late, then half as much again.
_FRESHNESS: Mapping[Cadence, tuple[int, int]] = {
    "day": (3, 7),
    "month": (40, 60),
    "quarter": (110, 160),
    "term": (220, 320),
    "year": (400, 580),
}
_SOURCE = bilingual(
    "已受理的行,一个数据源一张表,以其业务键为主键;证件号码已换成假名",
    "accepted rows, one table per feed, keyed by its business key; document numbers are pseudonyms",
)


def render(contracts: Iterable[Contract]) -> dict[Path, str]:
    """SQL and YAML of every feed's staging model, by their paths below the project's root."""
    files: dict[Path, str] = {}
    for contract in contracts:
        path = FOLDER / contract.department / model_name(contract)
        files[path.with_suffix(".sql")] = _sql(contract)
        files[path.with_suffix(".yml")] = "\n".join(_yaml(contract)) + "\n"
    return files


def model_name(contract: Contract) -> str:
    """The staging model of a feed."""
    return f"stg_{contract.department}__{contract.name}"


def _sql(contract: Contract) -> str:
    columns = ",\n".join(f"    {column.name}" for column in staged_columns(contract))
    source = f"{{{{ source('{_source_name(contract)}', '{contract.table}') }}}}"
    return (
        f"-- Written by `make docs` from {_path(contract)}.\nselect\n{columns}\nfrom {source}\nwhere not _withdrawn\n"
    )


def _yaml(contract: Contract) -> Iterator[str]:
    row = bilingual(f"{contract.title_zh},{contract.row_zh}", contract.row_en)
    staged = bilingual(
        f"{contract.title_zh},{contract.row_zh};不含来源已撤回的行",
        f"{contract.row_en}; rows that the source withdrew are left out",
    )
    warn, fail = _FRESHNESS[contract.cadence]
    yield f"# Written by `make docs` from {_path(contract)}; do not edit."
    yield "version: 2"
    yield ""
    yield "sources:"
    yield f"  - name: {_source_name(contract)}"
    yield "    schema: raw"
    yield f"    description: {_quoted(_SOURCE)}"
    yield "    tables:"
    yield f"      - name: {contract.table}"
    yield f"        description: {_quoted(row)}"
    yield "        config:"
    yield f"          meta: {{feed: {contract.feed}}}"
    yield (
        "          loaded_at_query: select max(finished_at) from ops.batch"
        f" where feed = '{contract.feed}' and status = 'loaded'"
    )
    yield "          freshness:"
    yield f"            warn_after: {{count: {warn}, period: day}}"
    yield f"            error_after: {{count: {fail}, period: day}}"
    yield "        columns:"
    for column in raw_columns(contract):
        yield from _column(column, "          ")
    yield ""
    yield "models:"
    yield f"  - name: {model_name(contract)}"
    yield f"    description: {_quoted(staged)}"
    yield "    config:"
    yield "      contract: {enforced: true}"
    yield "    data_tests:"
    yield f"      - key: {{arguments: {{columns: [{', '.join(raw_key(contract))}]}}}}"
    yield "    columns:"
    for column in staged_columns(contract):
        yield from _column(column, "      ")


def _column(column: RawColumn, indent: str) -> Iterator[str]:
    yield f"{indent}- name: {column.name}"
    yield f"{indent}  data_type: {column.sql_type}"
    yield f"{indent}  description: {_quoted(column.comment)}"


def _source_name(contract: Contract) -> str:
    return f"raw_{contract.department}"


def _path(contract: Contract) -> str:
    return f"expectations/{contract.feed}.odcs.yaml"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
