"""Divisions by code, by name and on dates; coordinates that are swapped."""

from __future__ import annotations

import csv
import datetime as dt
from importlib.resources import files

import pytest

from tests.unit.batch.normalise.normalising import Values, normalised
from threegaps.batch.normalise.coordinates import coordinates
from threegaps.batch.normalise.county_codes import county_codes
from threegaps.batch.normalise.county_names import county_names
from threegaps.contracts.options.normalisations import Coordinates, CountyCodes, CountyNames
from threegaps.standards.areas import code_named, codes_in_force

CODES = CountyCodes(kind="county_codes", column="county", date_column="day")
NAMES = CountyNames(kind="county_names", column="county", date_column="day", city_column="city")


def test_abolished_codes_and_zones_by_the_rows_date() -> None:
    written: Values = ["330102", "330103", "330104", "钱塘新区", "钱塘新区", "330183", None]
    days: Values = ["2020-01-01", "2020-01-01", "2020-01-01", "2020-01-01", "2022-01-01", None, "2020-01-01"]
    texts, counts = normalised(county_codes, CODES, {"county": written, "day": days})
    assert texts["county"] == ["330102", "330105", "330104", "钱塘新区", "330114", "330111", None]
    assert counts == {"county_codes.county": 3}


@pytest.mark.parametrize(
    ("name", "day", "code"),
    [
        ("桐庐县", "2024-05-01", "330122"),
        ("浙 江 省 桐 庐 县", "2024-05-01", "330122"),
        ("浙江省杭州市桐庐县", "2024-05-01", "330122"),
        ("杭州市桐庐县", None, "330122"),
        ("宁波市桐庐县", "2024-05-01", None),
        # What is abolished and has one successor, whenever it is still written.
        ("下城区", "2019-03-01", "330105"),
        ("下城区", "2024-03-01", "330105"),
        ("临安市", "2016-01-01", "330112"),
        ("奉化市", "2010-01-01", "330213"),
        ("玉环县", "2016-01-01", "331083"),
        ("玉环县", "2023-01-01", "331083"),
        ("临安市", "1990-01-01", None),
        # One that became several says none of them.
        ("江干区", "2019-03-01", None),
        ("江干区", "2024-03-01", None),
        ("绍兴县", "2012-01-01", None),
        # A name that stayed while parts of its division left.
        ("余杭区", "2021-04-08", None),
        ("余杭区", "2021-04-09", "330110"),
        ("余杭区", "2024-01-01", "330110"),
        ("余杭区", None, None),
        ("萧山区", "2020-01-01", None),
        ("萧山区", "2022-01-01", "330109"),
        ("余杭市", "2000-01-01", None),
        ("云和县", "1999-01-01", None),
        ("云和县", "2001-01-01", "331125"),
        ("瑞安市", "2020-01-01", "330381"),
        ("苍南县", "2018-05-01", None),
        ("苍南县", "2020-05-01", "330327"),
        ("鄞州区", "2015-01-01", None),
        ("鄞州区", "2017-01-01", "330212"),
        ("上虞市", "2010-01-01", None),
        ("江东区", "2015-01-01", "330212"),
        # What was made later may stand on an earlier date: lists are recoded.
        ("临平区", "2019-01-01", "330113"),
        ("上城区", "2010-01-01", "330102"),
        ("金义新区", "2025-01-01", "330703"),
        ("钱塘新区", "2020-01-01", None),
        ("嘉兴经济技术开发区", "2025-01-01", None),
        ("桐庐", "2024-05-01", None),
        ("杭州市", "2024-05-01", None),
        ("浙江省", "2024-05-01", None),
        ("字典", "2024-05-01", None),
        ("", "2024-05-01", None),
    ],
)
def test_names_on_a_date(name: str, day: str | None, code: str | None) -> None:
    assert code_named(name, dt.date.fromisoformat(day) if day else None) == code


def test_the_name_of_the_city_tells_divisions_of_one_name_apart() -> None:
    day = dt.date(1987, 5, 1)
    assert code_named("城区", day) is None
    assert code_named("城区", day, city="嘉兴市") == "330402"
    assert code_named("城区", day, city="湖州市") == "330502"
    assert code_named("湖州市城区", day) == "330502"
    assert code_named("西湖区", day, city="宁波市") is None


def test_cities_and_the_province_only_where_they_may_be_named() -> None:
    levels = ("county", "city", "province")
    assert code_named("湖州市", dt.date(2024, 1, 1), levels) == "330500"
    assert code_named("浙江省", None, levels) == "330000"
    assert code_named("桐庐县", None, ("city",)) is None


def test_every_county_of_today_is_found_by_its_name() -> None:
    with files("threegaps.standards").joinpath("reference", "counties.csv").open(encoding="utf-8") as file:
        names = {row["county_code"]: row["county_name"] for row in csv.DictReader(file)}
    assert len(names) == 90
    assert {code_named(name, dt.date(2026, 1, 1)) for name in names.values()} == codes_in_force()
    assert all(code_named(name, dt.date(2026, 1, 1)) == code for code, name in names.items())


def test_names_become_codes_and_what_says_none_stays() -> None:
    columns: dict[str, Values] = {
        "county": ["下城区", "江干区", "330122", "余杭区", "余杭区", "城区", None],
        "day": ["2020-01-01", "2020-01-01", None, "2020-01-01", "2022-01-01", "1987-01-01", "2020-01-01"],
        "city": [None, None, None, "杭州市", "杭州市", "温州市", None],
    }
    texts, counts = normalised(county_names, NAMES, columns, last_day=None)
    assert texts["county"] == ["330105", "江干区", "330122", "余杭区", "330110", "330302", None]
    assert counts == {"county_names.county": 3}


def test_a_list_as_it_stands_names_what_there_is_on_the_deliverys_last_day() -> None:
    option = CountyNames(kind="county_names", column="county")
    columns: dict[str, Values] = {"county": ["余杭区", "江干区", "下城区"]}
    texts, counts = normalised(county_names, option, columns, last_day=dt.date(2026, 6, 30))
    assert texts == {"county": ["330110", "江干区", "330105"]}
    assert counts == {"county_names.county": 2}
    earlier, _ = normalised(county_names, option, columns, last_day=dt.date(2020, 6, 30))
    assert earlier == {"county": ["余杭区", "江干区", "330105"]}


def test_swapped_coordinates_are_put_right_and_all_others_stay() -> None:
    option = Coordinates(kind="coordinates", longitude_column="lon", latitude_column="lat")
    columns: dict[str, Values] = {
        "lon": ["120.15", "30.29", "29.1", None, "27.9", "0", "120°12′"],
        "lat": ["30.27", "120.15", None, "120.2", "28.5", "0", "30.1"],
    }
    texts, counts = normalised(coordinates, option, columns)
    assert texts["lon"] == ["120.15", "120.15", "29.1", None, "27.9", "0", "120°12′"]
    assert texts["lat"] == ["30.27", "30.29", None, "120.2", "28.5", "0", "30.1"]
    assert counts == {"coordinates.lon": 1}
