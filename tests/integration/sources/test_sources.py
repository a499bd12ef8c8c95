"""Reading a departmental table by windows, and a drop folder whose files are still being written."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SettingsError, SourceUnavailableError
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.settings import Settings
from threegaps.sources.database import open_table
from threegaps.sources.file_drop import open_drop

pytestmark = pytest.mark.integration

QUARTER = Delivery.parse("quarter", "2024Q3")
_numbers = itertools.count(1)


@pytest.fixture
def certificates() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/certificates")


@pytest.fixture
def enterprises() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/skill_enterprises")


@pytest.fixture
def department(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A departmental database with three rows; the pipeline's connection leads to it."""
    name = f"sources_{next(_numbers)}"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        ensure_role(connection, "sources_reader", password="reader")
        ensure_database(connection, name, owner="threegaps")
    monkeypatch.setenv(
        "AIRFLOW_CONN_HRSS_DATABASE",
        json.dumps(
            {
                "conn_type": "postgres",
                "host": "127.0.0.1",
                "port": postgres.port,
                "login": "sources_reader",
                "password": "reader",
                "schema": name,
            }
        ),
    )
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        connection.execute("create table public.zs01 (ahc001 text, dropped text, aae036 timestamp, remark text)")
        connection.execute("alter table public.zs01 drop column dropped")
        connection.execute(
            "insert into public.zs01 values ('a', '2024-07-01 00:00:00', 'first'),"
            " ('c', '2024-07-02 00:00:00', 'of the next window'), ('b', '2024-07-01 23:59:59', null)"
        )
        connection.execute("grant select on public.zs01 to sources_reader")
        connection.execute(f"grant connect on database {name} to sources_reader")
        yield connection


def test_a_window_is_half_open_and_has_every_column(
    certificates: Contract, department: psycopg.Connection[tuple[object, ...]]
) -> None:
    with open_table(certificates) as table:
        (arrival,) = table.window("2024-07-01 00:00:00", "2024-07-02 00:00:00")
        text = b"".join(arrival.chunks()).decode()
    assert text == "ahc001,aae036,remark\na,2024-07-01 00:00:00,first\nb,2024-07-01 23:59:59,\n"
    assert (arrival.watermark_from, arrival.watermark_to) == ("2024-07-01 00:00:00", "2024-07-02 00:00:00")


def test_a_table_that_we_may_not_read_or_that_is_gone_is_named(
    certificates: Contract, department: psycopg.Connection[tuple[object, ...]]
) -> None:
    department.execute("revoke select on public.zs01 from sources_reader")
    with open_table(certificates) as table, pytest.raises(FeedError, match="permission denied") as told:
        table.window("2024-07-01 00:00:00", "2024-07-02 00:00:00")
    assert told.value.feed == "hrss/certificates"
    department.execute("drop table public.zs01")
    with open_table(certificates) as table, pytest.raises(FeedError, match="has no table") as told:
        table.window("2024-07-01 00:00:00", "2024-07-02 00:00:00")
    assert told.value.file == "public.zs01"


def test_a_database_that_we_may_not_enter_is_no_outage(
    certificates: Contract, department: psycopg.Connection[tuple[object, ...]]
) -> None:
    department.execute(f"revoke connect on database {department.info.dbname} from sources_reader")
    with pytest.raises(FeedError, match=r"login: permission denied\.") as told, open_table(certificates):
        pass
    assert not isinstance(told.value, SourceUnavailableError)


def test_a_connection_that_breaks_is_told(
    certificates: Contract, department: psycopg.Connection[tuple[object, ...]]
) -> None:
    with open_table(certificates) as table:
        department.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and usename = 'sources_reader'"
        )
        with pytest.raises(SourceUnavailableError, match="connection broke"):
            table.window("2024-07-01 00:00:00", "2024-07-02 00:00:00")


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "hrss").mkdir()
    extra = {"path": str(tmp_path)}
    monkeypatch.setenv("AIRFLOW_CONN_HRSS_FILE_DROP", json.dumps({"conn_type": "fs", "extra": extra}))
    return tmp_path / "hrss"


def test_a_file_that_is_still_being_written_is_not_taken(enterprises: Contract, drop: Path) -> None:
    file = drop / "skill_enterprises_2024Q3.xlsx"
    file.write_bytes(b"half")
    os.utime(file, (0, 0))
    with open_drop(enterprises) as source:
        (arrival,) = source.offer(QUARTER).arrivals
        chunks = iter(arrival.chunks())
        assert next(chunks) == b"half"
        file.write_bytes(b"half and the rest")
        with pytest.raises(FeedError, match="still being written") as told:
            list(chunks)
    assert (told.value.feed, told.value.file) == (enterprises.feed, file.name)


def test_a_drop_that_is_not_there_is_told(enterprises: Contract, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop.rmdir()
    # No system is behind a folder: that one cannot be reached would contradict that a folder is not there.
    with open_drop(enterprises) as source, pytest.raises(SourceUnavailableError) as told:
        source.offer(QUARTER)
    assert told.value.message == "The drop folder cannot be read: there is no folder hrss."
    assert told.value.message_zh == "投递文件夹无法读取:没有文件夹 hrss。"
    assert told.value.cause == "not_there"
    drop.parent.rename(drop.parent.with_name("elsewhere"))
    with open_drop(enterprises) as source, pytest.raises(SourceUnavailableError) as told:
        source.knock()
    assert told.value.message == "The drop folder cannot be read: No such file or directory."
    monkeypatch.setenv("AIRFLOW_CONN_HRSS_FILE_DROP", json.dumps({"conn_type": "fs"}))
    with pytest.raises(SettingsError, match="has no path"), open_drop(enterprises):
        pass
    monkeypatch.delenv("AIRFLOW_CONN_HRSS_FILE_DROP")
    with pytest.raises(SettingsError, match="no connection 'hrss_file_drop'"), open_drop(enterprises):
        pass
