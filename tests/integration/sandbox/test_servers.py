"""The departments' servers on loopback, and their faults."""

from __future__ import annotations

import asyncio
import json
import secrets
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import psycopg
import pytest

from sandbox import database
from sandbox.servers import http_gateway, sftp
from sandbox.servers.faults import Faults

WINDOW = {"updatedFrom": "2024-01-01 00:00:00", "updatedTo": "2026-07-01 00:00:00"}


@pytest.fixture(scope="module")
def gateway(dirty_home: Path) -> Iterator[http_gateway.RunningGateway]:
    running = http_gateway.start(dirty_home)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def no_faults(gateway: http_gateway.RunningGateway) -> None:
    gateway.faults.update(Faults().as_dict())


def post(port: int, param: dict[str, object]) -> str:
    body = urllib.parse.urlencode({"param": json.dumps(param)}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/interface/gateway.do", body, timeout=10) as answer:
        return str(answer.read().decode("utf-8"))


def signed(
    home: Path,
    interface: str,
    biz: dict[str, object],
    *,
    data_set: str = "hrss.training_enrollments",
    **changes: object,
) -> dict[str, object]:
    credentials = json.loads((home / "credentials.json").read_text("utf-8"))
    content, stamp, nonce = json.dumps(biz), int(time.time() * 1000), secrets.token_hex(16)
    identifier = f"{data_set}.{interface}"
    stamp = int(str(changes.get("timestamp", stamp)))
    sign = http_gateway.signature(credentials["app_secret"], credentials["app_id"], identifier, stamp, nonce, content)
    return {
        "app_id": credentials["app_id"],
        "interface_id": identifier,
        "version": "1.0.0",
        "charset": "utf-8",
        "timestamp": stamp,
        "nonce": nonce,
        "origin": 1,
        "sign": sign,
        "biz_content": content,
    } | changes


def page(home: Path, port: int, number: int, size: int = 400, **window: str) -> dict[str, Any]:
    biz: dict[str, object] = {**WINDOW, **window, "PAGE": number, "PAGENUM": size}
    answer: dict[str, Any] = json.loads(post(port, signed(home, "getdata", biz)))
    return answer


def everything(home: Path, port: int, **window: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    number = 1
    while True:
        found = page(home, port, number, **window)["data"]["rows"]
        rows += found
        if len(found) < 400:
            return rows
        number += 1


def test_pages_give_every_row_once_in_order(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    total = json.loads(post(gateway.port, signed(dirty_home, "gettotal", dict(WINDOW))))["data"]["total"]
    rows = everything(dirty_home, gateway.port)
    assert len(rows) == total
    order = [(row["updatedAt"], row["enrollmentId"]) for row in rows]
    assert order == sorted(order)
    assert len(set(order)) == total


def test_a_full_list_is_read_by_start_and_count_without_a_total(
    dirty_home: Path, gateway: http_gateway.RunningGateway
) -> None:
    def answer(start: int, count: int, interface: str = "getlist") -> dict[str, Any]:
        request = signed(dirty_home, interface, {"STARTNUM": start, "PAGENUM": count}, data_set="hrss.training_sites")
        found: dict[str, Any] = json.loads(post(gateway.port, request))
        return found

    rows: list[dict[str, str]] = []
    while found := answer(len(rows) + 1, 1000)["data"]["list"]:
        rows += found
    numbers = [row["siteId"] for row in rows]
    assert len(numbers) > 5_000
    assert numbers == sorted(numbers)
    assert set(answer(1, 1)["data"]) == {"list"}
    assert answer(1, 1001)["msg"] == "参数错误: PAGENUM"
    assert answer(0, 10)["msg"] == "参数错误: STARTNUM"
    assert answer(1, 10, "gettotal")["msg"] == "接口不存在"


def test_windows_are_half_open(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    moment = everything(dirty_home, gateway.port)[700]["updatedAt"]
    before = everything(dirty_home, gateway.port, updatedTo=moment)
    after = everything(dirty_home, gateway.port, updatedFrom=moment)
    assert len(before) + len(after) == len(everything(dirty_home, gateway.port))
    assert all(row["updatedAt"] < moment for row in before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sign": "0" * 64}, "签名错误"),
        ({"sign": "错"}, "签名错误"),
        ({"app_id": "someone"}, "应用不存在"),
        ({"timestamp": 1_700_000_000_000}, "时间戳过期"),
    ],
)
def test_wrong_requests_are_answered_with_status_0(
    dirty_home: Path, gateway: http_gateway.RunningGateway, changes: dict[str, object], message: str
) -> None:
    answer = json.loads(post(gateway.port, signed(dirty_home, "gettotal", dict(WINDOW), **changes)))
    assert (answer["status"], answer["msg"]) == (0, message)


def test_a_nonce_is_good_once(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    request = signed(dirty_home, "gettotal", dict(WINDOW))
    assert json.loads(post(gateway.port, request))["status"] == 1
    assert json.loads(post(gateway.port, request))["msg"] == "随机串重复"


def test_unreadable_parameters_are_refused(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    assert page(dirty_home, gateway.port, 0)["status"] == 0
    assert page(dirty_home, gateway.port, 1, size=5001)["status"] == 0
    assert page(dirty_home, gateway.port, 1, updatedFrom="yesterday")["status"] == 0


def test_rate_limit_says_when_to_come_back(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    gateway.faults.rate_limit_every = 1
    with pytest.raises(urllib.error.HTTPError) as error:
        page(dirty_home, gateway.port, 1)
    assert error.value.code == 429
    assert error.value.headers["Retry-After"] == "1"


def test_bad_gateway_on_every_second_request(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    gateway.faults.bad_gateway_every = 2
    codes = []
    for _ in range(4):
        try:
            page(dirty_home, gateway.port, 1)
            codes.append(200)
        except urllib.error.HTTPError as error:
            codes.append(error.code)
    assert sorted(codes) == [200, 200, 502, 502]


def test_half_a_page_is_no_json(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    gateway.faults.half_page_every = 1
    with pytest.raises(json.JSONDecodeError):
        page(dirty_home, gateway.port, 1)


def test_shifted_pages_bring_rows_twice(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    right = everything(dirty_home, gateway.port)
    gateway.faults.shift_pages = 3
    shifted = everything(dirty_home, gateway.port)
    numbers = [row["enrollmentId"] for row in shifted]
    assert len(numbers) > len(set(numbers))
    assert {row["enrollmentId"] for row in right} >= set(numbers)


def test_as_of_hides_what_came_later(dirty_home: Path, gateway: http_gateway.RunningGateway) -> None:
    final = {row["enrollmentId"]: row for row in everything(dirty_home, gateway.port)}
    gateway.faults.as_of = "2025-03-31 23:59:59"
    then = {row["enrollmentId"]: row for row in everything(dirty_home, gateway.port)}
    assert 0 < len(then) < len(final)
    moved = [key for key, row in then.items() if key in final and final[key]["updatedAt"] > row["updatedAt"]]
    assert moved
    assert all(row["updatedAt"] <= gateway.faults.as_of for row in then.values())


def test_faults_are_switched_over_http(gateway: http_gateway.RunningGateway) -> None:
    url = f"http://127.0.0.1:{gateway.port}/_sandbox/faults"
    with urllib.request.urlopen(urllib.request.Request(url, b'{"shift_pages": 2}'), timeout=5) as answer:
        assert json.load(answer)["shift_pages"] == 2
    assert gateway.faults.shift_pages == 2
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(url, b'{"nonsense": 2}'), timeout=5)
    assert error.value.code == 400


def test_sftp_by_key_only_read_only_chrooted_and_late_on_request(dirty_home: Path) -> None:
    running = sftp.start(dirty_home)
    keys = dirty_home / "keys"
    assert stat.S_IMODE((keys / "client_key").stat().st_mode) == 0o600
    common: dict[str, Any] = {"username": sftp.USER, "known_hosts": str(keys / "known_hosts"), "config": []}

    async def visit() -> None:
        async with (
            asyncssh.connect("127.0.0.1", running.port, client_keys=[str(keys / "client_key")], **common) as client,
            client.start_sftp_client() as files,
        ):
            assert {"202407", "202606"} <= set(await files.listdir("/wage_records"))
            names = set(await files.listdir("/wage_records/202410"))
            assert {"wage_202410.ok", "wage_202410_part01of02.csv.gz", "wage_202410_correction01.csv.gz"} <= names
            with pytest.raises(asyncssh.SFTPError):
                await files.stat("/../../manifest.json")
            with pytest.raises(asyncssh.SFTPError):
                await files.remove("/wage_records/202410/wage_202410.ok")
            with pytest.raises(asyncssh.SFTPError):
                await files.mkdir("/more")
            running.faults.late_paths = "wage_202410_correction"
            assert not [name for name in await files.listdir("/wage_records/202410") if "correction" in str(name)]
            running.faults.late_paths = "wage_202411,wage_records/202410"
            assert "202410" not in await files.listdir("/wage_records")
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await files.stat("/wage_records/202410/wage_202410.ok")
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect("127.0.0.1", running.port, client_keys=None, password="x", **common)

    try:
        asyncio.run(visit())
    finally:
        running.stop()


def test_departmental_database(dirty_home: Path, empty_database: str) -> None:
    final = database.load(dirty_home, empty_database, "hrss")
    again = database.load(dirty_home, empty_database, "hrss")
    assert final == again
    with psycopg.connect(empty_database) as connection:
        types = dict(
            connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = 'dy13'"
            ).fetchall()
        )
        held = connection.execute("SELECT count(*), count(aae031) FROM public.dy13").fetchone()
    assert types.pop("aae036") == "timestamp without time zone"
    assert set(types.values()) == {"text"}
    assert held is not None
    assert held[0] == final["dy13"] > held[1] > 0
    assert database.load(dirty_home, empty_database, "finance")["pxbtzj"] > 0
    then = database.load(dirty_home, empty_database, "hrss", "2025-03-31 23:59:59")
    assert 0 < then["dy13"] < final["dy13"]
    assert 0 < then["zs01"] < final["zs01"]
