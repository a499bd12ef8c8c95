"""Airflow connections by id, the same in tasks, on the command line and in tests.

Inside a task Airflow's supervisor answers, with whatever secrets backend the deployment has; elsewhere the
``AIRFLOW_CONN_*`` variables do. An address or a secret never stands in a contract or in code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threegaps.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Connection:
    """What is needed to reach a department's system.

    Args:
        connection_id: Its id in Airflow.
        kind: Airflow's connection type (``http``, ``postgres``, ``sftp``, ``fs``).
        extra: The connection's extra settings.
    """

    connection_id: str
    kind: str
    host: str
    port: int | None
    login: str
    password: str = field(repr=False)
    schema: str
    extra: dict[str, Any] = field(repr=False)


def get(connection_id: str) -> Connection:
    """The connection with this id.

    Raises:
        SettingsError: No secrets backend knows it.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        found = BaseHook.get_connection(connection_id)
    except (AirflowNotFoundException, AirflowRuntimeError):
        raise SettingsError(
            f"There is no connection {connection_id!r}.",
            advice=f"set AIRFLOW_CONN_{connection_id.upper()} or add it to the secrets backend.",
        ) from None
    return Connection(
        connection_id=connection_id,
        kind=str(found.conn_type),
        host=found.host or "",
        port=found.port,
        login=found.login or "",
        password=found.password or "",
        schema=found.schema or "",
        extra=dict(found.extra_dejson),
    )
