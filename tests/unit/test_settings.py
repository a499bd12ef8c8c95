"""Settings come from the environment first, then from what `up` remembered."""

from __future__ import annotations

import pickle
import re
import stat
from pathlib import Path

import pytest

from threegaps.errors import FeedError, SettingsError
from threegaps.landing.store import LandingStore
from threegaps.settings import Settings, to_dsn


def test_a_secret_is_made_once_and_kept_from_others(tmp_path):
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path)})
    first = settings.secret("postgres_pipeline")
    assert Settings.load({"THREEGAPS_HOME": str(tmp_path)}).secret("postgres_pipeline") == first
    assert settings.secret("another") != first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert first not in repr(settings)


def test_without_an_address_the_warehouse_says_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match="threegaps up"):
        Settings.load({"THREEGAPS_HOME": str(tmp_path)}).warehouse_dsn()


def test_the_environment_wins_over_what_is_remembered(tmp_path):
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path)})
    settings.remember(postgres_port=5433)
    assert settings.warehouse()["port"] == "5433"
    given = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_WAREHOUSE_HOST": "db.example"})
    assert given.warehouse()["host"] == "db.example"


def test_a_connection_string_quotes_what_it_must():
    assert to_dsn({"password": r"it's a \ one", "dbname": ""}) == r"password='it\'s a \\ one'"


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/srv/landing", "/srv/landing"),
        ("file:///srv/a%20b", "/srv/a b"),
        ("file:/srv/landing", "/srv/landing"),
        ("s3://connection@bucket/landing", None),
    ],
)
def test_a_landing_is_local_by_a_path_or_a_file_address(uri, folder):
    settings = Settings.load({"THREEGAPS_LANDING_URI": uri})
    assert settings.landing_folder == (None if folder is None else Path(folder))


@pytest.mark.parametrize("uri", ["http://[::1", "s3://[bucket/landing"])
def test_a_landing_that_is_no_address_names_the_setting(uri):
    for asked in ("landing_uri", "landing_folder"):
        with pytest.raises(SettingsError, match="THREEGAPS_LANDING_URI is no address"):
            getattr(Settings.load({"THREEGAPS_LANDING_URI": uri}), asked)


def test_a_landing_in_a_store_of_no_known_kind_names_the_setting():
    with pytest.raises(SettingsError, match="THREEGAPS_LANDING_URI names a store of no kind"):
        LandingStore("nowhere://bucket/landing")


@pytest.mark.parametrize("variable", ["THREEGAPS_HOME", "THREEGAPS_ROOT"])
def test_what_is_no_folder_names_the_setting(variable, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for wrong in ("/dev/null", tmp_path / "file" / "below", tmp_path / "loop" / "below", "/" + "x" * 300):
        with pytest.raises(SettingsError, match=f"{variable} names no folder"):
            Settings.load({variable: str(wrong)})
    assert Settings.load({variable: str(tmp_path / "to" / "come")})


def test_a_home_that_cannot_be_kept_names_the_setting():
    settings = Settings.load({"THREEGAPS_HOME": "/proc/not-there"})
    with pytest.raises(SettingsError, match=r"state.json in the runtime home cannot be written") as told:
        settings.remember(airflow_port=1)
    assert "THREEGAPS_HOME" in (told.value.advice or "")


@pytest.mark.parametrize("written", ["http://[::1", "http://a..b:8080", "ftp://airflow"])
def test_an_address_of_airflow_that_is_none_names_the_setting(written):
    with pytest.raises(SettingsError, match="THREEGAPS_AIRFLOW_URL is no address"):
        _ = Settings.load({"THREEGAPS_AIRFLOW_URL": written}).airflow_url


def test_an_error_names_its_place_and_survives_a_process_border():
    error = FeedError(
        "Not a date.", feed="hrss/certificates", file="zs01", row=7, column="issued_on", advice="mend it."
    )
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 our own bytes
    assert str(copy) == str(error)
    assert str(error).startswith("[feed hrss/certificates, file zs01, row 7, column issued_on] Not a date.")
    assert isinstance(copy, FeedError)


def test_landed_copies_are_kept_as_the_contracts_say_unless_a_number_of_days_is_set() -> None:
    name = "THREEGAPS_LANDING_RETENTION_DAYS"
    assert Settings.load({}).landing_retention_days is None
    assert Settings.load({name: "1000"}).landing_retention_days == 1000
    for wrong in ("0", "-1", "two years", "1000.5"):
        with pytest.raises(SettingsError, match=name):
            _ = Settings.load({name: wrong}).landing_retention_days


@pytest.mark.parametrize(("written", "shown"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_exact_cells_are_for_a_demonstration_only(written: str | None, shown: bool) -> None:
    environment = {} if written is None else {"THREEGAPS_SHOW_EXACT_CELLS": written}
    assert Settings.load(environment).shows_exact_cells is shown
    real = Settings.load({**environment, "THREEGAPS_SANDBOX": "0"})
    if not shown:
        assert not real.shows_exact_cells
        return
    with pytest.raises(SettingsError, match="persons could be recognised"):
        _ = real.shows_exact_cells


@pytest.mark.parametrize(
    ("variable", "written", "read"),
    [
        ("THREEGAPS_LEAST_FREE_MB", "3 GB", lambda one: one.least_free_bytes),
        ("THREEGAPS_LANDING_RETENTION_DAYS", "0", lambda one: one.landing_retention_days),
        ("THREEGAPS_SANDBOX_LAST_DAY", "2026-06-31", lambda one: one.sandbox_last_day),
        ("THREEGAPS_SANDBOX_SCALE", "2", lambda one: one.sandbox_scale),
        ("THREEGAPS_SANDBOX_SCALE", "nan", lambda one: one.sandbox_scale),
        ("THREEGAPS_SANDBOX_SEED", "-3", lambda one: one.sandbox_seed),
        ("THREEGAPS_AIRFLOW_URL", "airflow:8080", lambda one: one.airflow_url),
        ("THREEGAPS_AIRFLOW_URL", "http://airflow:99999", lambda one: one.airflow_url),
        ("THREEGAPS_WAREHOUSE_PORT", "abc", lambda one: one.warehouse()),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path, variable, written, read):
    with pytest.raises(SettingsError, match=variable):
        read(Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_WAREHOUSE_HOST": "db.test", variable: written}))


def test_a_setting_that_is_empty_is_none(tmp_path):
    empty = dict.fromkeys(("LEAST_FREE_MB", "SANDBOX_LAST_DAY", "SANDBOX_SEED", "AIRFLOW_URL"), "")
    one = Settings.load({"THREEGAPS_HOME": str(tmp_path)} | {f"THREEGAPS_{name}": said for name, said in empty.items()})
    assert (one.least_free_bytes, one.sandbox_last_day, one.sandbox_seed, one.airflow_url) == (
        3 * 10**9,
        None,
        None,
        None,
    )


def test_our_variables_are_read_here_alone():
    """Whoever reads one elsewhere reads it without its checks."""
    package = Path(__file__).parents[2] / "plugins"
    reads = re.compile(r"environ(?:ment)?(?:\.get\(|\[)\s*\"THREEGAPS_(?!HOME)")
    found = {path.name for path in package.rglob("*.py") if reads.search(path.read_text(encoding="utf-8"))}
    assert found == {"settings.py"}


def test_the_duty_page_has_the_warehouses_address_and_a_login_of_its_own() -> None:
    given = {"THREEGAPS_WAREHOUSE_HOST": "postgres", "THREEGAPS_WAREHOUSE_PASSWORD": "of-the-pipeline"}
    with pytest.raises(SettingsError, match="THREEGAPS_DUTY_PASSWORD"):
        Settings.load(given).duty_dsn()
    dsn = Settings.load({**given, "THREEGAPS_DUTY_PASSWORD": "own"}).duty_dsn()
    assert dsn == "host='postgres' port='5432' user='threegaps_duty' password='own' dbname='warehouse'"
