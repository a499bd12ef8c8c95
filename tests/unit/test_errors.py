"""What is said of an error of the warehouse's driver: never what the server wrote."""

from __future__ import annotations

import psycopg
import pytest

from threegaps.errors import UnexpectedError, of_warehouse

SECRET = "339900199001010011"
CONNECTION = f'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  {SECRET} '


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f'{CONNECTION}database "{SECRET}" does not exist', "there is no such database or role"),
        (f'{CONNECTION}角色 "{SECRET}" 不存在', "there is no such database or role"),
        (f'{CONNECTION}password authentication failed for user "{SECRET}"', "it refuses the role or its password"),
        (f'{CONNECTION}no pg_hba.conf entry for host "{SECRET}", user "a", database "b", no encryption', "lets nobody"),
        (f"{CONNECTION}sorry, too many clients already", "no connection left"),
        (f"{CONNECTION}the database system is starting up", "it is starting up"),
        (f"{CONNECTION}some words of an extension: {SECRET}", "OperationalError"),
        (f'{CONNECTION}\nconnection to server at "::1" failed: Connection refused', "connection refused"),
        (f"consuming input failed: server closed the connection unexpectedly\n\t{SECRET}", "closed the connection"),
        ("consuming input failed: SSL connection has been closed unexpectedly", "closed the connection"),
        ("the connection is closed", "the connection is closed"),
        ("", "OperationalError"),
    ],
)
def test_what_a_server_wrote_of_a_connection_is_recognised_and_not_repeated(written: str, said: str) -> None:
    error = psycopg.OperationalError(written)
    assert said in of_warehouse(error)
    assert SECRET not in of_warehouse(error)
    assert SECRET not in str(UnexpectedError.of(error))


def test_what_has_a_code_is_said_by_its_code() -> None:
    error = psycopg.errors.UniqueViolation(f"Key ({SECRET}) does not exist")
    assert of_warehouse(error) == "UniqueViolation, SQLSTATE 23505"
