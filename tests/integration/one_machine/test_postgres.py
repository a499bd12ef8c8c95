"""The embedded PostgreSQL starts, survives a kill, and asks for a password."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from threegaps.errors import ServiceError
from threegaps.one_machine.ports import free_port
from threegaps.one_machine.postgres import PostgresServer
from threegaps.one_machine.temporary import temporary_server

pytestmark = pytest.mark.integration


def test_data_outlive_a_kill(tmp_path):
    tmp_path.chmod(0o755)
    server = PostgresServer(tmp_path / "postgres", free_port(), "a password with 'quotes'")
    try:
        server.start()
        with psycopg.connect(server.dsn()) as connection:
            connection.execute("create table kept as select 1 as one")
        os.killpg(server._process.pid, signal.SIGKILL)
        server._process.wait()
        server.start()
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("select one from kept").fetchone() == (1,)
            assert connection.execute("show password_encryption").fetchone() == ("scram-sha-256",)
    finally:
        server.remove()
    assert not server.data_folder.exists()


def test_a_wrong_password_is_refused():
    with temporary_server() as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.dsn(password="wrong"))


def test_a_home_that_others_cannot_enter_is_no_obstacle(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = PostgresServer(closed / "postgres", free_port(), "secret")
    try:
        server.start()
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.remove()


def test_a_taken_port_is_not_chosen_and_not_hidden(tmp_path):
    with temporary_server() as running:
        assert free_port(running.port) != running.port
        tmp_path.chmod(0o755)
        second = PostgresServer(tmp_path / "second", running.port, "other")
        with pytest.raises(ServiceError, match="does not answer"):
            second.start(seconds=10)
        second.remove()
