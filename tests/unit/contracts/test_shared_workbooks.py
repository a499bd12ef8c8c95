"""A workbook may hold the tables of several feeds; each contract says which sheets it leaves to which other one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.contracts.test_layouts import ROSTER, custom
from threegaps.contracts.loader import load_contracts
from threegaps.errors import ContractError

Document = dict[str, Any]
MEMBERS = {"names": ["成员"]}


def file_format(document: Document) -> dict[str, Any]:
    return custom(document["customProperties"], "fileFormat")


def two_tables() -> tuple[Document, Document]:
    """A list of circles and one of their members, on two sheets of one workbook."""
    circles: Document = copy.deepcopy(yaml.safe_load(ROSTER.read_text(encoding="utf-8")))
    members = copy.deepcopy(circles)
    for document, name, sheet, other, left in (
        (circles, "circles", "名单", "hrss/circle_members", MEMBERS),
        (members, "circle_members", "成员", "hrss/circles", {"names": ["名单"]}),
    ):
        document["id"] = f"hrss/{name}"
        document["schema"][0] |= {"name": name, "physicalName": f"hrss_{name}"}
        file_format(document)["sheets"] = {"by": "names", "names": [sheet]}
        file_format(document)["sheetsOfOtherFeeds"] = [{"feed": other, **left}]
    return circles, members


def written(folder: Path, *documents: Document) -> Path:
    (folder / "hrss").mkdir()
    for document in documents:
        path = folder / f"{document['id']}.odcs.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return folder


def test_two_contracts_share_a_workbook(tmp_path: Path) -> None:
    assert [contract.name for contract in load_contracts(written(tmp_path, *two_tables()))] == [
        "circle_members",
        "circles",
    ]


def _no_contract(circles: Document, members: Document) -> None:
    file_format(circles)["sheetsOfOtherFeeds"] = [{"feed": "hrss/nobody", **MEMBERS}]


def _other_sheet(circles: Document, members: Document) -> None:
    file_format(members)["sheets"] = {"by": "names", "names": ["企业"]}


def _every_sheet(circles: Document, members: Document) -> None:
    file_format(members).pop("sheetsOfOtherFeeds")
    file_format(members)["sheets"] = {"by": "all"}


def _other_files(circles: Document, members: Document) -> None:
    source = custom(members["servers"][0]["customProperties"], "source")
    source["files"]["part"] = "circle_members_{delivery}\\.xlsx"


def _itself(circles: Document, members: Document) -> None:
    file_format(circles)["sheetsOfOtherFeeds"] = [{"feed": "hrss/circles", **MEMBERS}]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_contract, "hrss/nobody has no contract"),
        (_other_sheet, "hrss/circle_members reads other sheets"),
        (_every_sheet, "hrss/circle_members reads other sheets"),
        (_other_files, "is not sent in the same workbooks"),
        (_itself, "hrss/circles is this feed itself"),
    ],
)
def test_a_sheet_that_nobody_reads_is_no_other_feeds(
    tmp_path: Path, spoil: Callable[[Document, Document], None], message: str
) -> None:
    documents = two_tables()
    spoil(*documents)
    with pytest.raises(ContractError, match=message):
        load_contracts(written(tmp_path, *documents))


def test_a_sheet_is_not_read_and_left(tmp_path: Path) -> None:
    circles, members = two_tables()
    file_format(circles)["sheetsOfOtherFeeds"] = [{"feed": "hrss/circle_members", "names": ["名单"]}]
    with pytest.raises(ContractError, match="'名单' is read for rows, and stands in sheetsOfOtherFeeds too"):
        load_contracts(written(tmp_path, circles, members))
