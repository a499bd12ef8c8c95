"""The departments' connections on a server, in `docker-compose.yml` and `.env.example`: a marked part of either file.

What stands outside the marks is written by hand. The example reaches the sandbox, as Airflow writes connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from threegaps.contracts.departments import DepartmentConnection, department_connections
from threegaps.contracts.model import Contract
from threegaps.settings import department_database

COMPOSE, EXAMPLE = Path("docker-compose.yml"), Path(".env.example")
BEGIN, END = "made by `make docs` from the contracts: begin", "made by `make docs` from the contracts: end"

_IN_SANDBOX: Mapping[str, Callable[[str], str]] = {
    "http": lambda _: "http://${SANDBOX_APPLICATION_ID}:${SANDBOX_APPLICATION_SECRET}@sandbox:18081",
    "database": lambda department: (
        "postgres://department_reader:${DEPARTMENT_READER_PASSWORD}@department-database:5432/"
        + department_database(department)
    ),
    "sftp": lambda _: (
        "sftp://threegaps@sandbox:12222/?key_file=%2Frun%2Fsecrets%2Fdepartment_sftp_key&no_host_key_check=true"
    ),
}
"""By protocol, how the stand-in of a department is reached; the folder of a file drop is the same everywhere."""


def render(root: Path, contracts: Iterable[Contract]) -> dict[Path, str]:
    """Both files with the part that follows from the contracts, by their paths below *root*.

    Raises:
        ValueError: A file has not the two marks.
    """
    connections = department_connections(contracts)
    return {
        COMPOSE: _with_part(root / COMPOSE, [_given(one) for one in connections]),
        EXAMPLE: _with_part(root / EXAMPLE, [_example(one) for one in connections if one.protocol in _IN_SANDBOX]),
    }


def _given(connection: DepartmentConnection) -> str:
    """What Airflow is given of a connection."""
    name = connection.connection_id.upper()
    if connection.protocol in _IN_SANDBOX:
        return f"AIRFLOW_CONN_{name}: ${{{name}_CONNECTION:?}}"
    return f"""AIRFLOW_CONN_{name}: '{{"conn_type": "fs", "extra": {{"path": "/var/lib/threegaps/drop"}}}}'"""


def _example(connection: DepartmentConnection) -> str:
    address = _IN_SANDBOX[connection.protocol](connection.department)
    return f"{connection.connection_id.upper()}_CONNECTION={address}"


def _with_part(path: Path, part: Iterable[str]) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [index for mark in (BEGIN, END) for index, line in enumerate(lines) if line.strip() == f"# {mark}"]
    if len(marks) != 2 or marks[0] > marks[1]:
        raise ValueError(f"{path.name} has not the two lines `# {BEGIN}` and `# {END}`, in this order.")
    first, last = marks
    indent = lines[first].partition("#")[0]
    return "\n".join([*lines[: first + 1], *(f"{indent}{line}" for line in part), *lines[last:]]) + "\n"
