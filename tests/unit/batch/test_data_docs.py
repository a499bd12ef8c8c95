"""Great Expectations' own pages of a batch say which rules rows break and how many, and nothing that was received."""

from __future__ import annotations

import datetime as dt
import html
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.batch.batches import WAGES, judge, part, resident_id, wage, wage_bytes
from threegaps.batch.data_docs import write_data_docs

WRONG = {
    "scheme": "8QX",
    "work_county_code": "339999",
    "wage_month": "2O2506",
    "wage_cny_month": "1234567.89",
    "employer_code": f"见{resident_id(77)}",
    "resident_id": f"{resident_id(5)[:-1]}?",
}


@pytest.fixture(scope="module")
def far_away() -> Iterator[None]:
    """A machine whose clock shows neither the time of Shanghai nor that of Greenwich."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, far_away: None) -> Path:
    rows = [wage(number) for number in range(1, 40)]
    rows += [wage(50 + place, **{column: value}) for place, (column, value) in enumerate(WRONG.items())]
    rows += [wage(1, wage_cny_month="7777.77")]  # the key again, with another amount
    rows += [f"{wage(2)},{resident_id(2)}"]  # a field too many
    judgement, _ = judge([part(wage_bytes(*rows))])
    folder = tmp_path_factory.mktemp("site") / "docs"
    write_data_docs(WAGES, "batch 3, 2025-06", judgement.judged_frames(), folder)
    return folder


def pages(site: Path) -> dict[str, str]:
    found = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    # Tests ask something of each page: were there none, they would ask nothing.
    assert len(found) >= 5
    return found


def test_there_is_a_page_for_each_frame(site: Path) -> None:
    found = {path.split("/")[1] for path in pages(site) if path.startswith("validations/")}
    assert found == {f"hrss_wage_records_{frame}" for frame in ("rows", "keys", "lines", "batch")}
    assert "index.html" in pages(site)
    assert (site.stat().st_mode & 0o777) == 0o700


def test_rows_are_named_by_tokens_and_counted(site: Path) -> None:
    (rows,) = (page for path, page in pages(site).items() if "validations" in path and "_rows/" in path)
    assert "row 7-40" in rows  # the token of the first wrong row
    assert "scheme is not in its code list" in html.unescape(rows)
    (keys,) = (page for path, page in pages(site).items() if "validations" in path and "_keys/" in path)
    assert {"7-1", "7-46"} <= set(re.findall(r"7-[0-9]+", keys))
    (lines,) = (page for path, page in pages(site).items() if "validations" in path and "_lines/" in path)
    assert "row 7-47" in lines


def test_a_page_says_what_it_means_in_the_time_that_it_names(site: Path) -> None:
    """Rows that break rules are refused and the batch loads: nothing has failed."""
    validations = {path: html.unescape(page) for path, page in pages(site).items() if path.startswith("validations/")}
    for path, page in validations.items():
        assert re.search(r"</i>\s*(?:Failed|Succeeded)", page) is None, path
        (written,) = re.findall(r"written at \(Beijing time\)</div>.{0,200}?([0-9-]{10} [0-9:]{8})<", page, re.DOTALL)
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(f"{written}+08:00")
        assert dt.timedelta(0) <= age < dt.timedelta(hours=1), path
        headings = re.findall(r"<thead\b.*?</thead>", page, re.DOTALL)
        assert [heading for heading in headings if not re.sub(r"<[^>]*>", "", heading).strip()] == []
    said = {path.split("/")[1].removeprefix("hrss_wage_records_"): page for path, page in validations.items()}
    assert "some rows break a rule" in said["rows"]
    assert "no row breaks a rule" in said["batch"]


def test_nothing_that_was_received_is_in_them(site: Path) -> None:
    received = {*WRONG.values(), "7777.77", "6543.21", "91350100M000100Y43"}
    received |= {resident_id(number) for number in (*range(1, 60), 77)}
    for path, page in pages(site).items():
        text = html.unescape(page)
        assert not [value for value in received if value in text], path
        assert not re.search("339900[0-9]{6}", text), path


def test_a_page_asks_no_other_host_for_anything(site: Path) -> None:
    for path, page in pages(site).items():
        assert not re.findall(r"(?:src|href)=\"https?://(?!greatexpectations\.io\")[^\"]*\"|url\('?https?:", page), path
        links = [link for link in re.findall(r'(?:href|src)="([^"#:]*)"', page) if link]
        assert links
        assert not [link for link in links if not (site / path).parent.joinpath(unquote(link)).is_file()], path


def test_a_page_offers_nothing_that_needs_a_script(site: Path) -> None:
    for path, page in pages(site).items():
        for offered in ("<script", "onclick", "Validation Filter", 'data-toggle="collapse"', 'type="radio"'):
            assert offered not in page, f"{path}: {offered}"
        # whatever is taken out is taken out whole
        assert page.count("<div") == page.count("</div>"), path
    (rows,) = (page for path, page in pages(site).items() if "validations" in path and "_rows/" in path)
    assert "Table of Contents" in rows
    assert "Run Name" in rows


def test_the_first_page_leads_to_the_others(site: Path) -> None:
    index = pages(site)["index.html"]
    links = [unquote(link) for link in re.findall(r'href="(validations/[^"]*)"', index)]
    assert [link.split("/")[1].rsplit("_", 1)[1] for link in links] == ["rows", "keys", "lines", "batch"]
    assert all((site / link).is_file() for link in links)
