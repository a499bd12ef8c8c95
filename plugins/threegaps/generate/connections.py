"""The departments on a server: their connections, and the databases of those whose database is read.

They stand in marked parts of files that are otherwise written by hand. The example of a connection reaches the
sandbox, as Airflow writes connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from threegaps.contracts.departments import DepartmentConnection, department_connections, departments_with_database
from threegaps.contracts.model import Contract
from threegaps.settings import department_database

COMPOSE, EXAMPLE = Path("docker-compose.yml"), Path(".env.example")
DATABASES = Path("docker/initdb-department/10-databases.sh")
BEGIN, END = "made by `make docs` from the contracts: begin", "made by `make docs` from the contracts: end"

_IN_SANDBOX: Mapping[str, Callable[[str], str]] = {
    "http": lambda _: "http://${SANDBOX_APPLICATION_ID}:${SANDBOX_APPLICATION_SECRET}@sandbox:18081",
    "database": lambda department: (
        "postgres://department_reader:${DEPARTMENT_READER_PASSWORD}@department-database:5432/"
        + department_database(department)
    ),
    "sftp": lambda _: (
        "sftp://threegaps@sandbox:12222/?key_file=%2Frun%2Fsecrets%2Fdepartment_sftp_key&host_key=${SANDBOX_HOST_KEY}"
    ),
}
"""By protocol, how the stand-in of a department is reached; the folder of a file drop is the same everywhere."""


def render(root: Path, contracts: Iterable[Contract]) -> dict[Path, str]:
    """The files with the parts that follow from the contracts, by their paths below *root*.

    Raises:
        ValueError: A file has not two marks for each of its parts.
    """
    connections = department_connections(contracts)
    departments = departments_with_database(connections)
    examples = [_example(connection) for connection in connections if connection.protocol in _IN_SANDBOX]
    databases = " ".join(department_database(department) for department in departments)
    return {
        COMPOSE: _with_parts(
            root / COMPOSE,
            [_given(connection) for connection in connections],
            [_filled(department) for department in departments],
        ),
        EXAMPLE: _with_parts(root / EXAMPLE, examples),
        DATABASES: _with_parts(root / DATABASES, [f"databases='{databases}'"]),
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


def _filled(department: str) -> str:
    """How the stand-in of a department's database gets its rows."""
    dsn = f"host=department-database user=department dbname={department_database(department)}"
    return f'python -m sandbox load-database --home /var/lib/threegaps/sandbox --department {department} --dsn "{dsn}"'


def _with_parts(path: Path, *parts: Iterable[str]) -> str:
    """The text of the file at *path*, with the lines of each part between its marks, in the file's order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = {f"# {BEGIN}": BEGIN, f"# {END}": END}
    found = [(index, marks[line.strip()]) for index, line in enumerate(lines) if line.strip() in marks]
    if [mark for _, mark in found] != [BEGIN, END] * len(parts):
        raise ValueError(
            f"{path.name} has not the two lines `# {BEGIN}` and `# {END}`, in this order, for each of its parts"
            f" ({len(parts)})."
        )
    written: list[str] = []
    next_line = 0
    for part, (first, _), (last, _) in zip(parts, found[::2], found[1::2], strict=True):
        indent = lines[first].partition("#")[0]
        written += [*lines[next_line : first + 1], *(f"{indent}{line}" for line in part)]
        next_line = last
    return "\n".join([*written, *lines[next_line:]]) + "\n"
