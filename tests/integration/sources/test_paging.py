"""What is read from a gateway is known to be whole, or is not taken: odd servers through the whole way."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.scripted_gateway import Answer, Script, page_of, rows, serving
from tests.integration.sources.small_contract import CHANGES, FEED, FULL_LIST, JSON, PAGES, http_source
from threegaps.errors import FeedError, SourceUnavailableError

pytestmark = pytest.mark.integration

START: dict[str, Any] = {"kind": "start", "startParameter": "start", "countParameter": "count", "pageSize": 50}
CURSOR: dict[str, Any] = {"kind": "cursor", "cursorParameter": "after", "nextCursor": ["data", "next"]}


def steady(every: list[Any]) -> Script:
    """A server that keeps its order and says its total in each page."""
    return lambda _, content: {"total": len(every), "rows": page_of(every, content)}


def changes(feed: SmallFeed, **differing: Any) -> None:
    feed.comes_by(http_source(**differing), CHANGES)


def ids(count: int) -> list[str]:
    return [f"{number:08d}" for number in range(1, count + 1)]


# Case 11: a row repeats, and one is missing, while the total stays the same.


@pytest.mark.parametrize("repeated", [0, 36, 97, 98])
def test_a_row_that_pushes_another_out_is_never_complete(feed: SmallFeed, repeated: int) -> None:
    every = rows(120)

    def shifting(_: str, content: dict[str, Any]) -> Answer:
        page = page_of(every, content)
        if content["page"] == 2:
            page[-1] = every[repeated if repeated < content["size"] else 0]
        return {"total": 120, "rows": page}

    changes(feed)
    with serving(shifting) as gateway:
        feed.at(gateway)
        with pytest.raises(SourceUnavailableError, match=r"kept shifting.*120 rows in 3 answers, 120 announced"):
            feed.land()
    assert feed.landed() == []


def test_a_row_that_pushes_another_out_on_a_server_that_cuts_pages_as_it_likes(feed: SmallFeed) -> None:
    every = rows(120)
    every_shifted = [*every[:99], every[10], *every[100:]]
    changes(feed)
    with serving(lambda _, content: {"total": 120, "rows": page_of(every_shifted, {**content, "size": 50})}) as gateway:
        feed.at(gateway)
        with pytest.raises(SourceUnavailableError, match="kept shifting"):
            feed.land()
    assert feed.landed() == []


@pytest.mark.parametrize("bad_reads", [1, 2])
def test_a_shift_that_passes_is_read_again(feed: SmallFeed, bad_reads: int) -> None:
    every, firsts = rows(120), []

    def shifting(_: str, content: dict[str, Any]) -> Answer:
        page = page_of(every, content)
        if content["page"] == 1:
            firsts.append(content["size"])
        if content["page"] == 2 and len(firsts) <= bad_reads:
            page[-1] = every[36]
        return {"total": 120, "rows": page}

    changes(feed)
    with serving(shifting) as gateway:
        feed.at(gateway)
        feed.run()
    assert len(firsts) == bad_reads + 2
    assert len(set(firsts)) == len(firsts)
    assert feed.ids() == ids(120)


# Case 11b: true twins.


@pytest.mark.parametrize("size_is_kept", [True, False])
def test_twins_across_a_page_s_end_land_as_one_row_and_a_duplicate(feed: SmallFeed, size_is_kept: bool) -> None:
    every = rows(120)
    every.insert(50, every[49])

    def answer(_: str, content: dict[str, Any]) -> Answer:
        asked = content if size_is_kept else {**content, "size": 50}
        return {"total": len(every), "rows": page_of(every, asked)}

    changes(feed)
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.run()
    assert feed.counts() == [(121, 120, 0, 1)]
    assert feed.ids() == ids(120)


def test_twins_far_apart_land_where_the_gateway_gives_pages_of_the_size_asked_for(feed: SmallFeed) -> None:
    every = rows(120)
    every.append(every[3])
    changes(feed)
    with serving(steady(every)) as gateway:
        feed.at(gateway)
        feed.run()
    assert feed.counts() == [(121, 120, 0, 1)]


def test_rows_without_an_order_of_their_own_land(feed: SmallFeed) -> None:
    every, asked = rows(120), []

    def whirling(_: str, content: dict[str, Any]) -> Answer:
        if content["page"] == 1:
            asked.append(1)
            every.reverse()
        return {"total": 120, "rows": page_of(every, content)}

    changes(feed)
    with serving(whirling) as gateway:
        feed.at(gateway)
        feed.land()
    assert len(asked) == 2
    assert feed.landed_ids() == ids(120)


# A page served twice, a total that is wrong.


def test_a_page_that_comes_twice_in_place_of_the_next_is_read_again(feed: SmallFeed) -> None:
    every, asked = rows(120), []

    def caching(_: str, content: dict[str, Any]) -> Answer:
        asked.append(content["page"])
        stale = content["page"] == 2 and asked.count(2) == 1
        return {"total": 120, "rows": page_of(every, {**content, "page": 1} if stale else content)}

    changes(feed)
    with serving(caching) as gateway:
        feed.at(gateway)
        feed.run()
    assert feed.counts() == [(120, 120, 0, 0)]


def test_a_page_that_always_comes_twice_at_one_size_is_read_at_others(feed: SmallFeed) -> None:
    every = rows(170)

    def caching(_: str, content: dict[str, Any]) -> Answer:
        stale = content["size"] == 50 and content["page"] == 3
        return {"total": 170, "rows": page_of(every, {**content, "page": 2} if stale else content)}

    changes(feed)
    with serving(caching) as gateway:
        feed.at(gateway)
        feed.land()
    assert feed.landed_ids() == ids(170)


@pytest.mark.parametrize("total", [100, 150, 70, 0])
def test_a_total_that_is_too_low_loses_nothing(feed: SmallFeed, total: int, caplog: pytest.LogCaptureFixture) -> None:
    every = rows(170)
    changes(feed)
    with serving(lambda _, content: {"total": total, "rows": page_of(every, content)}) as gateway:
        feed.at(gateway)
        with caplog.at_level(logging.WARNING):
            feed.land()
    assert feed.landed_ids() == ids(170)
    assert f"announces {total} rows, and 170 came" in caplog.text


@pytest.mark.parametrize("own_interface", [True, False])
def test_a_total_that_is_too_high_is_never_complete(feed: SmallFeed, own_interface: bool) -> None:
    every = rows(120)

    def answer(interface: str, content: dict[str, Any]) -> Answer:
        return {"total": 121, "rows": page_of(every, content)} if interface.endswith("getdata") else {"total": 121}

    total = {"path": ["data", "total"]} | ({"interface": "test.rows.gettotal"} if own_interface else {})
    changes(feed, total=total)
    with serving(answer) as gateway:
        feed.at(gateway)
        with pytest.raises(SourceUnavailableError, match="121 announced"):
            feed.land()
    assert feed.landed() == []


def test_a_total_that_changes_while_pages_are_read_is_read_again(feed: SmallFeed) -> None:
    every, asked = rows(120), []

    def growing(_: str, content: dict[str, Any]) -> Answer:
        asked.append(content)
        if len(asked) == 2:
            every.extend(rows(1, first=121))
        return {"total": len(every), "rows": page_of(every, content)}

    changes(feed)
    with serving(growing) as gateway:
        feed.at(gateway)
        feed.land()
    assert feed.landed_ids() == ids(121)


# Ends of pages as servers make them.


def clamping(every: list[Any]) -> Script:
    """Gives the last page for every later one."""

    def answer(_: str, content: dict[str, Any]) -> Answer:
        last = -(-len(every) // content["size"])
        return {"total": len(every), "rows": page_of(every, {**content, "page": min(content["page"], last)})}

    return answer


def refusing(every: list[Any]) -> Script:
    """Refuses a page behind the last."""

    def answer(_: str, content: dict[str, Any]) -> Answer:
        page = page_of(every, content)
        if not page:
            return json.dumps({"status": 0, "msg": "没有数据", "data": None}).encode()
        return {"total": len(every), "rows": page}

    return answer


def capped(every: list[Any]) -> Script:
    """Gives at most twenty rows, whatever is asked for."""
    return lambda _, content: {
        "total": len(every),
        "rows": page_of(every, {**content, "size": min(20, content["size"])}),
    }


@pytest.mark.parametrize("server", [steady, clamping, refusing, capped])
@pytest.mark.parametrize("count", [100, 120, 50, 1])
def test_every_way_to_end_loses_nothing(feed: SmallFeed, server: Any, count: int) -> None:
    changes(feed)
    with serving(server(rows(count))) as gateway:
        feed.at(gateway)
        feed.land()
    assert feed.landed_ids() == ids(count)


def test_without_a_total_the_end_is_an_empty_page(feed: SmallFeed) -> None:
    every = rows(120)
    feed.comes_by(http_source(is_window=False, pager=START, total=None), FULL_LIST)
    with serving(lambda _, content: {"rows": page_of(every, content)}) as gateway:
        feed.at(gateway)
        feed.run()
        starts = [content["start"] for _, content in gateway.asked]
    assert starts == [1, 51, 101, 121, 1, 43, 85, 121]
    assert feed.ids() == ids(120)
    assert feed.landed() == ["list"]


def test_pages_that_never_end_are_given_up(feed: SmallFeed) -> None:
    feed.comes_by(http_source(pager=START, total=None, mostRows=1000), CHANGES)
    with serving(lambda _, content: {"rows": rows(50, first=content["start"])}) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match="More than 1000 rows"):
            feed.land()


@pytest.mark.parametrize("first", [0, 1])
def test_pages_are_counted_from_where_the_contract_says(feed: SmallFeed, first: int) -> None:
    every = rows(120)

    def answer(_: str, content: dict[str, Any]) -> Answer:
        return {"total": 120, "rows": page_of(every, {**content, "page": content["page"] + 1 - first})}

    changes(feed, pager={**PAGES, "firstPage": first})
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.land()
        assert min(content["page"] for _, content in gateway.asked) == first
    assert feed.landed_ids() == ids(120)


def test_pages_by_a_cursor_follow_it_through_short_and_empty_ones(feed: SmallFeed) -> None:
    every = rows(120)
    cuts = {None: (0, 50, "a"), "a": (50, 50, "b"), "b": (50, 57, "c"), "c": (57, 120, None)}

    def answer(_: str, content: dict[str, Any]) -> Answer:
        begin, end, following = cuts[content.get("after")]
        return {"rows": every[begin:end], "next": following}

    changes(feed, pager=CURSOR, total=None)
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.land()
    assert feed.landed_ids() == ids(120)


def test_a_cursor_that_leads_back_is_no_endless_read(feed: SmallFeed) -> None:
    changes(feed, pager=CURSOR, total=None)
    firsts = iter(range(1, 100, 2))
    with serving(lambda *_: {"rows": rows(2, first=next(firsts)), "next": "again"}) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError, match="leads back"):
            feed.land()


@pytest.mark.parametrize("own_interface", [True, False])
def test_a_snapshot_is_read_once(feed: SmallFeed, own_interface: bool) -> None:
    every = rows(120)

    def answer(interface: str, content: dict[str, Any]) -> Answer:
        if interface == "test.rows.snapshot":
            return {"mark": "at-noon"}
        assert content.get("mark") == "at-noon" or (content["page"] == 1 and not own_interface)
        return {"total": 120, "rows": page_of(every, content), "mark": "at-noon"}

    proof = {"kind": "snapshot", "parameter": "mark", "path": ["data", "mark"]}
    changes(feed, proof=proof | ({"interface": "test.rows.snapshot"} if own_interface else {}))
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.land()
        assert len([1 for interface, _ in gateway.asked if interface == "test.rows.getdata"]) == 3
    assert feed.landed_ids() == ids(120)


def test_constant_parameters_go_with_every_request_and_everything_may_come_in_one_answer(feed: SmallFeed) -> None:
    changes(feed, pager={"kind": "none"}, parameters={"region": "330000", "kind": 2})
    with serving(lambda _, content: {"total": 7, "rows": rows(7)}) as gateway:
        feed.at(gateway)
        feed.land()
        assert gateway.asked == [
            (
                "test.rows.getdata",
                {"region": "330000", "kind": 2, "from": "2026-01-01 00:00:00", "to": "2026-07-01 00:00:00"},
            )
        ]
    assert feed.landed_ids() == ids(7)


def test_a_small_window_is_cheap(feed: SmallFeed) -> None:
    def answer(interface: str, content: dict[str, Any]) -> Answer:
        return {"total": 7} if interface == "test.rows.gettotal" else {"rows": rows(7)}

    changes(feed, total={"interface": "test.rows.gettotal", "path": ["data", "total"]})
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.land()
        assert len(gateway.asked) == 3
    assert feed.landed_ids() == ids(7)


# Case 12: nothing to say.


@pytest.mark.parametrize("nothing", ['"rows":null', '"rows":[]', '"other":1', '"rows": null, "hint": "无"'])
def test_an_empty_window_is_one_and_the_watermark_moves(feed: SmallFeed, nothing: str) -> None:
    changes(feed)
    with serving(lambda *_: b'{"status":1,"msg":"ok","data":{"total":0,%s}}' % nothing.encode()) as gateway:
        feed.at(gateway)
        feed.run()
    assert feed.counts() == [(0, 0, 0, 0)]
    assert feed.ask("select watermark from ops.watermark") == [("2026-07-01 00:00:00",)]


def test_an_empty_window_that_is_wholly_null_is_one_when_it_is_said_twice(feed: SmallFeed) -> None:
    changes(feed)
    with serving(lambda *_: b'{"status":1,"msg":"ok","data":null}') as gateway:
        feed.at(gateway)
        feed.run()
        assert len(gateway.asked) == 2
    assert feed.counts() == [(0, 0, 0, 0)]


@pytest.mark.parametrize(
    ("data", "total"),
    [
        ('{"total":9,"rows":null}', {"path": ["data", "total"]}),
        ('{"total":9}', {"path": ["data", "total"]}),
        ("{}", None),
        ('{"total":"many","rows":[]}', {"path": ["data", "total"]}),
        ('{"total":-1,"rows":[]}', {"path": ["data", "total"]}),
        ('{"total":1,"rows":{"id":"1"}}', {"path": ["data", "total"]}),
        ('["total", "rows"]', {"path": ["data", "total"]}),
        ('{"rows":[{"id":"1"}]}', {"path": ["data", "total"]}),
    ],
)
def test_what_is_no_answer_is_not_an_empty_one(feed: SmallFeed, data: str, total: Any) -> None:
    changes(feed, total=total)
    with serving(lambda *_: b'{"status":1,"msg":"ok","data":%s}' % data.encode()) as gateway:
        feed.at(gateway)
        with pytest.raises(FeedError) as told:
            feed.land()
    assert told.value.feed == FEED
    assert "many" not in str(told.value)
    assert feed.landed() == []


@pytest.mark.parametrize(
    "data",
    ['{"lisst":[{"id":"1"}]}', '{"lisst":[]}', '{"rows":null}', "null", '{"rows":null,"list":[{"id":"1"}]}', "{}"],
)
@pytest.mark.parametrize("is_window", [False, True])
def test_a_list_under_another_name_is_never_an_empty_one_that_two_reads_agree_on(
    feed: SmallFeed, data: str, is_window: bool
) -> None:
    feed.comes_by(http_source(is_window=is_window, pager=START, total=None), CHANGES if is_window else FULL_LIST)
    with serving(lambda *_: b'{"status":1,"msg":"ok","data":%s}' % data.encode()) as gateway:
        feed.at(gateway)
        if is_window and data in {'{"rows":null}', "null"}:
            feed.land()
            assert len(gateway.asked) == 2
            return
        with pytest.raises(FeedError, match="no list of rows at data"):
            feed.land()
    assert feed.landed() == []


@pytest.mark.parametrize(("nothing", "total"), [("[]", None), ("null", 120), (None, 120), ("null", None)])
@pytest.mark.parametrize("is_window", [False, True])
def test_behind_all_rows_a_page_may_say_nothing_in_its_own_way(
    feed: SmallFeed, nothing: str | None, total: int | None, is_window: bool
) -> None:
    every = rows(120)

    def answer(_: str, content: dict[str, Any]) -> Answer:
        page = page_of(every, content)
        data: dict[str, Any] = {} if total is None else {"total": total}
        if page or nothing is not None:
            data["rows"] = page or json.loads(nothing or "")
        return data

    # Pages of ten fit into the rows without a rest: only a page of nothing says that they have come to an end.
    pager = {**START, "pageSize": 10, "variesSize": False} if total is None else {**START, "pageSize": 60}
    feed.comes_by(
        http_source(is_window=is_window, pager=pager, total=None if total is None else {"path": ["data", "total"]}),
        CHANGES if is_window else FULL_LIST,
    )
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.land()
    assert feed.landed_ids() == ids(120)


# Case 10: a byte order mark before each answer.


@pytest.mark.parametrize(
    ("count", "encoding", "mark"), [(120, "utf-8", b"\xef\xbb\xbf"), (3, "gb18030", b"\x84\x31\x95\x33")]
)
def test_a_byte_order_mark_before_each_answer(feed: SmallFeed, count: int, encoding: str, mark: bytes) -> None:
    every = rows(count)

    def answer(_: str, content: dict[str, Any]) -> Answer:
        data = {"status": 1, "msg": "成功", "data": {"total": count, "rows": page_of(every, content)}}
        return mark + json.dumps(data, ensure_ascii=False, indent=1).encode(encoding)

    feed.comes_by(http_source(), CHANGES, {**JSON, "encoding": encoding})
    with serving(answer) as gateway:
        feed.at(gateway)
        feed.run()
    assert feed.counts() == [(count, count, 0, 0)]
    assert feed.ids() == ids(count)
