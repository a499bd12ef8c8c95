"""OpenLineage, where an installation switches it on: what tasks read and write, with the columns.

Off by default: nothing of OpenLineage is imported then. Names, meanings and grades of columns go out, and counts of
rows; never a value. Where the warehouse, the landing and the departments stand is nobody's to know from it, so data
sets are named by what they are:

| namespace | name | |
|---|---|---|
| `threegaps://feeds` | the feed, `<department>/<name>` | what a department sends |
| `threegaps://landing` | the feed | the bytes as they were sent |
| `postgres://warehouse` | `<database>.<schema>.<table>` | a table of the warehouse, dbt's too |

A catalogue that knows the warehouse by another name gets it from THREEGAPS_LINEAGE_WAREHOUSE.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threegaps.contracts.labels import bilingual, meaning_zh
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import DERIVED_COLUMNS, PERSON_COLUMN, SYSTEM_COLUMNS, raw_columns
from threegaps.settings import WAREHOUSE_DATABASE, Settings
from threegaps.standards.visible import log_of

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset, RunEvent
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

    from threegaps.marts.manifest import ServedTable

log = log_of("threegaps")

FEEDS, LANDING = "threegaps://feeds", "threegaps://landing"
WAREHOUSE_VARIABLE = "THREEGAPS_LINEAGE_WAREHOUSE"
_WAREHOUSE = "postgres://warehouse"
_PRODUCER = "https://openlineage.io/integration/threegaps"
_VARIABLES = ("AIRFLOW__OPENLINEAGE__", "OPENLINEAGE_")
# A build has some hundred events: a catalogue that hangs must not hold it up for each.
_LONGEST_SECONDS = 60.0


def is_on() -> bool:
    """Whether Airflow sends lineage; OpenLineage is imported only where a variable of it is set."""
    if not any(value and name.startswith(_VARIABLES) for name, value in os.environ.items()):
        return False
    from airflow.providers.openlineage.api import is_openlineage_active

    return bool(is_openlineage_active())


def warehouse_namespace() -> str:
    """The namespace of the warehouse's tables."""
    return Settings.load().text(WAREHOUSE_VARIABLE) or _WAREHOUSE


def note_landing(contract: Contract) -> None:
    """What the task land of this feed reads and writes; nothing where lineage is off."""
    if is_on():
        _emit([_sent(contract, FEEDS)], [_sent(contract, LANDING)])


def note_load(contract: Contract, counts: dict[str, int]) -> None:
    """What the task load of this feed reads and writes, with the rows accepted and refused; nothing where it is off."""
    if is_on():
        _emit(
            [_sent(contract, LANDING)],
            [_raw_table(contract, counts.get("accepted")), _quarantine(counts.get("refused"))],
        )


def note_build(settings: Settings, name: str) -> None:
    """What each model of a dbt invocation reads and writes, below the task that runs; nothing where it is off.

    Args:
        settings: Where the project and the invocation's folder are.
        name: Name of the invocation, see `marts.dbt_runner.run_build`.
    """
    if not is_on():
        return
    try:
        _send(_of_dbt(settings, settings.home / "dbt" / "invocations" / name / "target"))
    except Exception as error:  # noqa: BLE001  # what it is about is built all the same
        log.warning("Lineage of build %s could not be sent (%s).", name, type(error).__name__)


def note_release(written: Sequence[ServedTable]) -> None:
    """From what dbt built to what readers see, for each relation that a release wrote; nothing where it is off."""
    if not is_on():
        return
    try:
        _send(_of_release(written))
    except Exception as error:  # noqa: BLE001  # what it is about serves all the same
        log.warning("Lineage of the release could not be sent (%s).", type(error).__name__)


def _emit(inputs: list[Dataset], outputs: list[Dataset]) -> None:
    from airflow.providers.openlineage.api import emit_dataset_lineage

    try:
        emit_dataset_lineage(inputs=inputs, outputs=outputs, raise_on_error=True)
    except Exception as error:  # noqa: BLE001  # what it is about is loaded all the same
        log.warning("Lineage could not be sent (%s).", type(error).__name__)


def _send(events: list[RunEvent]) -> None:
    from airflow.providers.openlineage.api import emit

    deadline = time.monotonic() + _LONGEST_SECONDS
    for number, event in enumerate(events):
        if time.monotonic() > deadline:
            log.warning("Lineage: %d of %d events sent; the others would take too long.", number, len(events))
            return
        emit(event)


def _sent(contract: Contract, namespace: str) -> Dataset:
    """What the department sends, as the contract says it: column by column, with its grade."""
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import documentation_dataset, ownership_dataset, schema_dataset, tags_dataset

    columns = contract.sent_columns
    return Dataset(
        namespace,
        contract.feed,
        facets={
            "documentation": documentation_dataset.DocumentationDatasetFacet(
                bilingual(contract.title_zh, contract.title_en)
            ),
            "ownership": ownership_dataset.OwnershipDatasetFacet(
                [ownership_dataset.Owner(contract.owner_zh, "provider")]
            ),
            "schema": schema_dataset.SchemaDatasetFacet(
                [
                    schema_dataset.SchemaDatasetFacetFields(
                        column.name,
                        column.logical_type,
                        f"{bilingual(meaning_zh(column), column.description_en)} ({column.grade})",
                        number,
                    )
                    for number, column in enumerate(columns, 1)
                ]
            ),
            "tags": tags_dataset.TagsDatasetFacet(
                [
                    tags_dataset.TagsDatasetFacetFields("grade", column.grade, "DB33/T 2351-2021", column.name)
                    for column in columns
                ]
            ),
        },
    )


def _raw_table(contract: Contract, accepted: int | None) -> Dataset:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import documentation_dataset, schema_dataset

    columns = raw_columns(contract)
    return OutputDataset(
        warehouse_namespace(),
        f"{WAREHOUSE_DATABASE}.raw.{contract.table}",
        facets={
            "documentation": documentation_dataset.DocumentationDatasetFacet(
                bilingual(contract.title_zh, contract.title_en)
            ),
            "schema": schema_dataset.SchemaDatasetFacet(
                [
                    schema_dataset.SchemaDatasetFacetFields(column.name, column.sql_type, column.comment, number)
                    for number, column in enumerate(columns, 1)
                ]
            ),
            "columnLineage": _column_lineage(contract),
        },
        outputFacets=_statistics(accepted),
    )


def _column_lineage(contract: Contract) -> Any:
    """From which sent column each column of the raw table comes; those of the document number, masked."""
    from openlineage.client.facet_v2 import column_lineage_dataset

    sent = {column.name for column in contract.sent_columns}
    system = {column.name for column in SYSTEM_COLUMNS}
    fields = {}
    for column in raw_columns(contract):
        is_masked = contract.has_person and column.name in DERIVED_COLUMNS
        source = PERSON_COLUMN if is_masked else column.name
        if source not in sent or column.name in system:
            continue
        fields[column.name] = column_lineage_dataset.Fields(
            [
                column_lineage_dataset.InputField(
                    LANDING,
                    contract.feed,
                    source,
                    [
                        column_lineage_dataset.Transformation(
                            "DIRECT", "TRANSFORMATION" if is_masked else "IDENTITY", masking=is_masked
                        )
                    ],
                )
            ]
        )
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields)


def _quarantine(refused: int | None) -> Dataset:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import documentation_dataset, schema_dataset

    from threegaps.contracts.tables import QUARANTINE_COLUMNS

    return OutputDataset(
        warehouse_namespace(),
        f"{WAREHOUSE_DATABASE}.quarantine.refused_row",
        facets={
            "documentation": documentation_dataset.DocumentationDatasetFacet(
                bilingual("拒收的行及其全部原因", "Refused rows with every reason")
            ),
            "schema": schema_dataset.SchemaDatasetFacet(
                [schema_dataset.SchemaDatasetFacetFields(name) for name in QUARANTINE_COLUMNS]
            ),
        },
        outputFacets=_statistics(refused),
    )


def _statistics(rows: int | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import output_statistics_output_dataset

    if rows is None:
        return {}
    return {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)}


def _of_dbt(settings: Settings, target: Path) -> list[RunEvent]:
    """The events of what dbt left in *target*: a run of each model, and of its tests."""
    from airflow.providers.openlineage.plugins import macros
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor

    namespace = warehouse_namespace()

    class Processor(DbtLocalArtifactProcessor):
        """The library's own, but for the place of the warehouse, which no event names."""

        def extract_dataset_namespace(self, profile: dict[str, Any]) -> None:
            self.dataset_namespace = namespace

    processor = Processor(
        project_dir=str(settings.dbt_project_folder),
        target_path=str(target),
        producer=_PRODUCER,
        job_namespace=macros.lineage_job_namespace(),
        skip_errors=True,
        logger=log,
    )
    processor.dbt_run_metadata = _task_that_runs()
    return list(processor.parse().events())


def _of_release(written: Sequence[ServedTable]) -> list[RunEvent]:
    """One run for each relation: of all together no catalogue could tell which leads to which."""
    from airflow.providers.openlineage.plugins import macros
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.uuid import generate_new_uuid

    parent = _task_that_runs().to_openlineage()
    return [
        RunEvent(
            eventTime=dt.datetime.now(dt.UTC).isoformat(),
            producer=_PRODUCER,
            run=Run(str(generate_new_uuid()), facets={"parent": parent}),
            job=Job(macros.lineage_job_namespace(), f"release.{table.schema}.{table.name}"),
            eventType=RunState.COMPLETE,
            inputs=[_built_table(table)],
            outputs=[_served_table(table)],
        )
        for table in written
    ]


def _built_table(table: ServedTable) -> InputDataset:
    from openlineage.client.event_v2 import InputDataset

    return InputDataset(warehouse_namespace(), f"{WAREHOUSE_DATABASE}.{table.source_schema}.{table.source_name}")


def _served_table(table: ServedTable) -> OutputDataset:
    """What readers see, column by column with its comment; each comes unchanged from the column of the same name."""
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import column_lineage_dataset, documentation_dataset, schema_dataset

    built = _built_table(table)
    unchanged = [column_lineage_dataset.Transformation("DIRECT", "IDENTITY")]
    return OutputDataset(
        warehouse_namespace(),
        f"{WAREHOUSE_DATABASE}.{table.schema}.{table.name}",
        facets={
            "documentation": documentation_dataset.DocumentationDatasetFacet(table.comment),
            "schema": schema_dataset.SchemaDatasetFacet(
                [
                    schema_dataset.SchemaDatasetFacetFields(column.name, column.data_type, column.comment, number)
                    for number, column in enumerate(table.columns, 1)
                ]
            ),
            "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
                {
                    column.name: column_lineage_dataset.Fields(
                        [
                            column_lineage_dataset.InputField(
                                str(built.namespace), str(built.name), column.name, unchanged
                            )
                        ]
                    )
                    for column in table.columns
                }
            ),
        },
    )


def _task_that_runs() -> ParentRunMetadata:
    """The task below which events hang."""
    from airflow.providers.openlineage.plugins import macros
    from airflow.providers.openlineage.utils.utils import get_task_instance_from_context
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

    task = get_task_instance_from_context()
    return ParentRunMetadata(
        run_id=macros.lineage_run_id(task),
        job_name=macros.lineage_job_name(task),
        job_namespace=macros.lineage_job_namespace(),
        root_parent_job_name=macros.lineage_root_job_name(task),
        root_parent_job_namespace=macros.lineage_root_job_namespace(task),
        root_parent_run_id=macros.lineage_root_run_id(task),
    )
