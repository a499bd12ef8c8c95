"""Real contracts with one thing changed that could not run: each is refused when it is read.

The refusal names the file, the path in it, what is wrong and what is right.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from croniter import croniter
from pydantic import TypeAdapter, ValidationError

from threegaps.contracts.lint import lint_contract
from threegaps.contracts.loader import find_contract, load_contract, load_contracts
from threegaps.contracts.options.cron import Cron
from threegaps.contracts.options.templates import is_of_digits, number_form, plain_name
from threegaps.errors import ContractError
from threegaps.rules.regular_expressions import ColumnExpression
from threegaps.settings import Settings

ROOT = Settings.load().contracts_folder
WAGES, ROSTER, SECTORS = "hrss/wage_records", "hrss/skill_enterprises", "sectors/training_enrollments"
WORKSHOPS, INCOME, SITES = "organisation/prosperity_workshops", "statistics/resident_income", "hrss/training_sites"
CERTIFICATES, SPELLS, SUBSIDIES = "hrss/certificates", "hrss/employment_registrations", "finance/training_subsidies"

FILES = "servers/0/customProperties/source/files"
SOURCE, POOL = "servers/0/customProperties/source", "servers/0/customProperties/pool"
DELIVERY, FORMAT = "customProperties/delivery", "customProperties/fileFormat"
CLEANING, TOUCH = "customProperties/normalisations", "customProperties/touch"
COLUMNS = "schema/0/properties"
GONE = object()
"""Stands for a key that is taken out."""


def changed(feed: str, changes: dict[str, Any]) -> Any:
    """The contract's document with other values at these paths; columns and custom properties go by their names."""
    document = yaml.load((ROOT / f"{feed}.odcs.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    for path, value in changes.items():
        *steps, last = path.split("/")
        here = document
        for step in steps:
            here = entry(here, step)
        if isinstance(here, list) and last.isdigit():
            here[int(last) : int(last) + 1] = [value]
        elif isinstance(here, list):
            named = next((one for one in here if one["property"] == last), None)
            if named is None:
                here.append({"property": last, "value": value})
            else:
                named["value"] = value
        elif value is GONE:
            del here[last]
        else:
            here[last] = value
    return document


def entry(here: Any, step: str) -> Any:
    if not isinstance(here, list):
        return here.setdefault(step, {})
    if step.isdigit():
        return here[int(step)]
    found = next(one for one in here if step in {one.get("name"), one.get("property"), one.get("kind")})
    return found["value"] if "property" in found and isinstance(found.get("value"), dict | list) else found


def rule(name: str, kind: str | None = None, **arguments: Any) -> list[dict[str, Any]]:
    said = {"implementation": {**({"type": kind} if kind else {}), "kwargs": arguments}}
    return [{"name": name, "type": "custom", "engine": "greatExpectations", **said}]


def saved(folder: Path, feed: str, document: Any) -> Path:
    path = folder / f"{feed}.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


NEAR_GIVEN = "expect_column_to_be_given_where"
# By what is wrong: the feed, what is changed, and what the refusal says (its path first).
SPOILT: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    # Names of files
    "a part that is the same in every period": (
        ROSTER, {f"{FILES}/part": r"skill_enterprises\.xlsx"}, (f"{FILES}/part", "names a period", "{delivery}"),
    ),
    "a correction that is the same in every period": (
        WAGES, {f"{SOURCE}/folder": "/wages", f"{FILES}/correction": r"correction(?P<part>\d+)\.csv\.gz"},
        (f"{FILES}/correction", "names a period"),
    ),
    "a control file that is the same in every period": (
        WAGES, {f"{SOURCE}/folder": "/wages", f"{FILES}/control": "all.ok"}, (f"{FILES}/control", "names a period"),
    ),
    "a misspelt placeholder": (
        ROSTER, {f"{FILES}/part": r"skill_enterprises_{delivry}\.xlsx"},
        (f"{FILES}/part", "{delivry} is no placeholder", "did you mean '{delivery}'?"),
    ),
    "a placeholder with a letter too many": (
        WAGES, {f"{FILES}/part": r"wage_{yyyymmm}_(?P<part>\d+)\.csv\.gz"},
        (f"{FILES}/part", "did you mean '{yyyymm}'?"),
    ),
    "a misspelt placeholder of a folder": (
        WAGES, {f"{SOURCE}/folder": "/wage_records/{yyymm}"}, (f"{SOURCE}/folder", "did you mean '{yyyymm}'?"),
    ),
    "a misspelt placeholder of a control file": (
        WAGES, {f"{FILES}/control": "wage_{YYYYMM}.ok"}, (f"{FILES}/control", "{YYYYMM} is no placeholder"),
    ),
    "an open brace": (ROSTER, {f"{FILES}/part": "skill_{delivery"}, (f"{FILES}/part", "by itself", "backslash")),
    "a folder above": (WAGES, {f"{SOURCE}/folder": "/wages/../{yyyymm}"}, (f"{SOURCE}/folder", "upward")),
    "no folder": (WAGES, {f"{SOURCE}/folder": ""}, (f"{SOURCE}/folder", "is empty")),
    "no name of a part": (ROSTER, {f"{FILES}/part": ""}, (f"{FILES}/part", "is empty")),
    "a misspelt group": (
        WAGES, {f"{FILES}/part": r"wage_{yyyymm}_part(?P<partz>\d+)\.csv\.gz"},
        (f"{FILES}/part", "the group 'partz' is not known", "did you mean 'part"),
    ),
    "a number of parts that is no number": (
        WAGES, {f"{FILES}/part": r"wage_{yyyymm}_part(?P<part>\d+)of(?P<parts>.+)\.csv\.gz"},
        (f"{FILES}/part", "`parts`", "digits"),
    ),
    "a correction's number that is none": (
        WAGES, {f"{FILES}/correction": r"wage_{yyyymm}_correction(?P<part>[a-z]+)\.csv\.gz"},
        (f"{FILES}/correction", "`part`", "digits"),
    ),
    "parts that take corrections": (
        WAGES, {f"{FILES}/part": r"wage_{yyyymm}_[a-z]+(?P<part>\d+)(of\d+)?\.csv\.gz"},
        (f"{FILES}/part", "fits corrections too"),
    ),
    "months of a feed that comes by day": (
        WAGES, {"slaProperties/0": {"property": "frequency", "value": 1, "unit": "day"},
                f"{DELIVERY}/firstDelivery": "2024-07-01"},
        (f"{FILES}/part", "by day", "{delivery}"),
    ),
    "a part that no file can be": (
        SECTORS, {f"{DELIVERY}/completeness/parts/6": "postal"},
        (f"{DELIVERY}/completeness/parts", "'postal'", f"{FILES}/part"),
    ),
    "a number of parts that have names": (
        SECTORS, {f"{DELIVERY}/completeness": {"kind": "quiet", "partCount": 7}},
        (f"{DELIVERY}/completeness/partCount", "the part '1'"),
    ),
    "a part that the contract does not expect": (
        SECTORS, {f"{DELIVERY}/completeness/parts": [
            "housing", "transport", "civil_affairs", "health", "market", "post"]},
        (f"{FILES}/part", "'emergency'", "completeness/parts"),
    ),
    "one part twice": (
        SECTORS, {f"{DELIVERY}/completeness/parts": ["1", "01"]},
        (f"{DELIVERY}/completeness", "two of its parts have one name"),
    ),
    # Layouts
    "a layout that fits no file": (
        SECTORS, {f"{FORMAT}/layouts/3/files": r"post_[0-9]{8}\.csv"},
        (f"{FORMAT}/layouts", "fit none of them", "post_"),
    ),
    "a layout of files that never come": (
        WORKSHOPS, {f"{FORMAT}/layouts": [
            {"name": "now", "files": "prosperity_workshops_.*"}, {"name": "then", "files": "workshops_.*"}]},
        (f"{FORMAT}/layouts/1/files", "fits no file of any delivery", "take layout then out"),
    ),
    "two layouts of one file": (
        SECTORS, {f"{FORMAT}/layouts/3/files": ".*"}, (f"{FORMAT}/layouts", "as layout A does", "one layout"),
    ),
    "two layouts of a later year's file": (
        WORKSHOPS, {f"{FORMAT}/layouts": [{"name": "old", "files": ".*_20.*"}, {"name": "new", "files": ".*_2031.*"}]},
        (f"{FORMAT}/layouts/1/files", "prosperity_workshops_2031", "as layout old does"),
    ),
    "values out of other names of files": (
        WORKSHOPS, {f"{FORMAT}/fileName": r"workshops_(?P<county_code>.*)_(?P<list_label>.{6})\.xlsx",
                    f"{COLUMNS}/county_code/customProperties": [{"property": "origin", "value": "file_name"}]},
        (f"{FORMAT}/fileName", "does not fit"),
    ),
    "a sheet that is read and carries no rows": (
        WORKSHOPS, {f"{FORMAT}/sheets": {"by": "names", "names": ["杭州", "说明"]}},
        (f"{FORMAT}/sheets", "'说明'", "sheetsWithoutRows"),
    ),
    "a sheet of a layout that carries no rows": (
        WORKSHOPS, {f"{FORMAT}/layouts": [
            {"name": "a", "files": ".*", "sheets": {"by": "names", "names": ["字典"]}}]},
        (f"{FORMAT}/layouts/0/sheets", "'字典'", "sheetsWithoutRows"),
    ),
    "sheets that are read and carry no rows": (
        ROSTER, {f"{FORMAT}/sheets": {"by": "pattern", "pattern": "(hidden|list|字典|下拉).*"}},
        (f"{FORMAT}/sheets", "no sheet is read"),
    ),
    "no sheet that carries rows": (
        ROSTER, {f"{FORMAT}/sheetsWithoutRows": {"pattern": ".*"}},
        (f"{FORMAT}/sheetsWithoutRows/pattern", "no sheet would be read"),
    ),
    "a sheet twice": (
        ROSTER, {f"{FORMAT}/sheets": {"by": "names", "names": ["a", "a"]}}, (f"{FORMAT}/sheets/names", "stands twice"),
    ),
    # Encodings
    "bytes that are no text": (WAGES, {f"{FORMAT}/encoding": "hex"}, (f"{FORMAT}/encoding", "'hex'", "gb18030")),
    "a code for hosts": (WAGES, {f"{FORMAT}/encoding": "idna"}, (f"{FORMAT}/encoding", "'idna'")),
    "a play with letters": (SECTORS, {f"{FORMAT}/layouts/3/encoding": "rot13"}, (f"{FORMAT}/layouts/3/encoding",)),
    "a misspelt encoding": (
        WAGES, {f"{FORMAT}/encoding": "gb18300"}, (f"{FORMAT}/encoding", "did you mean 'gb18030'?"),
    ),
    "answers that have no lines": (SITES, {f"{FORMAT}/encoding": "utf-16-le"}, (f"{FORMAT}/encoding", "utf-8")),
    # Regular expressions
    "a total that looks ahead": (
        ROSTER, {f"{CLEANING}/4/regex": "合计(?=:)"}, (f"{CLEANING}/4/regex", "looks around"),
    ),
    "a total that is any text": (ROSTER, {f"{CLEANING}/4/regex": ".*"}, (f"{CLEANING}/4/regex", "fits", "words")),
    "a total that may be empty": (ROSTER, {f"{CLEANING}/4/regex": "(合计)?"}, (f"{CLEANING}/4/regex", "empty cell")),
    "a form that refers back": (
        WAGES, {f"{COLUMNS}/employer_code/logicalTypeOptions": {"pattern": r"^(.)\1$"}},
        ("logicalTypeOptions/pattern", "refers back"),
    ),
    "a form that columns read otherwise": (
        WAGES, {f"{COLUMNS}/employer_code/logicalTypeOptions": {"pattern": r"^[0-9]++\Z"}},
        ("logicalTypeOptions/pattern", "columns cannot"),
    ),
    "a rule's form that looks behind": (
        WAGES, {f"{COLUMNS}/employer_code/quality": rule(
            "no_zero", "expect_column_values_to_match_regex", regex="(?<!0)1")},
        ("quality/0/implementation/kwargs/regex", "looks around"),
    ),
    # Rules
    "a rule's bounds that leave nothing": (
        ROSTER, {f"{COLUMNS}/employees/quality": rule("employees_range", min_value=9_000_000)},
        ("kwargs", "min_value 9000000 leaves nothing up to max_value 1000000"),
    ),
    "a rule's day for a number": (
        ROSTER, {f"{COLUMNS}/skilled_employees/quality": rule(
            "few", "expect_column_values_to_be_between", max_value="2030-01-01")},
        ("quality/0/implementation/kwargs/max_value (rule few)", "is no number", "without quotes"),
    ),
    "a rule's number for a day": (
        WAGES, {f"{COLUMNS}/recorded_on/quality": rule("late", "expect_column_values_to_be_between", min_value=2015)},
        ("quality/0/implementation/kwargs/min_value (rule late)", "is no day", "in quotes"),
    ),
    "a rule's day and number": (
        WAGES, {f"{COLUMNS}/recorded_on/quality": rule("recorded_on_range", min_value=2015, max_value="2030-01-01")},
        ("kwargs", "a day for one bound and a number for the other"),
    ),
    "ratios that leave nothing": (
        ROSTER, {"schema/0/quality": rule("batch_row_count", min_ratio=3, max_ratio=2)},
        ("kwargs", "min_ratio 3", "leaves nothing"),
    ),
    "amounts that leave nothing": (
        WAGES, {"schema/0/quality": rule("fits", "expect_amount_to_fit_unit", column="wage_cny_month",
                                         other_column="amount_unit", bounds={"元": [9, 1]})},
        ("kwargs/bounds", "9 is above 1"),
    ),
    "amounts of a unit that is none": (
        WAGES, {"schema/0/quality": rule("fits", "expect_amount_to_fit_unit", column="wage_cny_month",
                                         other_column="amount_unit", bounds={"千元": [1, None]})},
        ("schema/0/quality/0/implementation/kwargs/bounds (rule fits)", "'千元'"),
    ),
    "a rule on a column that is misspelt": (
        ROSTER, {"schema/0/quality": rule("given", NEAR_GIVEN, column="revoked_no", where_column="status",
                                          where_values=["已撤销"])},
        ("schema/0/quality/0/implementation/kwargs/column (rule given)", "did you mean 'revoked_on'?"),
    ),
    # Columns
    "a number kept as text": (
        WAGES, {f"{COLUMNS}/wage_cny_month/physicalType": "text"}, ("physicalType", "numeric(12,2)"),
    ),
    "a number without decimals": (
        WAGES, {f"{COLUMNS}/wage_cny_month/physicalType": "numeric(12)"}, ("physicalType", "numeric(12,2)"),
    ),
    "a number without a digit before the point": (
        WAGES, {f"{COLUMNS}/wage_cny_month/physicalType": "numeric(2,2)"}, ("physicalType", "before the point"),
    ),
    "a text of a type that is none": (
        WAGES, {f"{COLUMNS}/employer_code/physicalType": "varchar(32)"}, ("physicalType", "kept as 'text'"),
    ),
    "a day kept as a time": (
        WAGES, {f"{COLUMNS}/recorded_on/physicalType": "timestamptz"}, ("physicalType", "kept as 'date'"),
    ),
    "another table": (ROSTER, {"schema/0/physicalName": "hrss_enterprises"}, ("schema/0/physicalName", "hrss_skill_")),
    "bounds that leave nothing": (
        ROSTER, {f"{COLUMNS}/employees/logicalTypeOptions": {"minimum": 10, "maximum": 1}},
        ("logicalTypeOptions", "minimum 10 leaves nothing"),
    ),
    "days that leave nothing": (
        WAGES, {f"{COLUMNS}/recorded_on/logicalTypeOptions": {
            "minimum": "2030-01-01", "exclusiveMaximum": "2030-01-01"}},
        ("logicalTypeOptions", "leaves nothing"),
    ),
    "two bounds on one side": (
        ROSTER, {f"{COLUMNS}/employees/logicalTypeOptions": {"minimum": 1, "exclusiveMinimum": 0}},
        ("logicalTypeOptions", "keep one"),
    ),
    "a number for a day": (
        WAGES, {f"{COLUMNS}/recorded_on/logicalTypeOptions": {"minimum": 2015}},
        ("logicalTypeOptions/minimum", "a day in quotes"),
    ),
    "a day for a number": (
        ROSTER, {f"{COLUMNS}/employees/logicalTypeOptions": {"maximum": "2015-01-01"}},
        ("logicalTypeOptions/maximum", "is not a number"),
    ),
    "bounds of a text": (
        ROSTER, {f"{COLUMNS}/status/logicalTypeOptions": {"minimum": "a"}},
        ("logicalTypeOptions/minimum", "has no bounds"),
    ),
    "a form of a day": (
        WAGES, {f"{COLUMNS}/recorded_on/logicalTypeOptions": {"pattern": "^2"}},
        ("logicalTypeOptions/pattern", "is of texts"),
    ),
    "codes of a number": (
        ROSTER, {f"{COLUMNS}/employees/customProperties/codeList": {"1": ["一", "one"]}},
        ("codeList", "codes are texts"),
    ),
    "two columns first in the key": (
        WAGES, {f"{COLUMNS}/employer_code/primaryKeyPosition": 1}, ("schema/0/properties", "primaryKeyPosition 1"),
    ),
    "a column somewhere in the key": (
        WAGES, {f"{COLUMNS}/employer_code/primaryKeyPosition": GONE},
        ("schema/0/properties", "say its primaryKeyPosition"),
    ),
    "a position in no key": (
        WAGES, {f"{COLUMNS}/recorded_on/primaryKeyPosition": 6}, ("primaryKeyPosition", "primaryKey: true"),
    ),
    "a key that is not stored": (
        WAGES, {f"{COLUMNS}/employer_code/customProperties/stored": False}, ("primaryKey", "stored: false"),
    ),
    "persons whose numbers stay as they are": (
        WAGES, {f"{CLEANING}/3": {"kind": "missing_words", "words": ["无"]}},
        (CLEANING, "kind resident_id", "typeColumn"),
    ),
    "a key that may be missing": (
        WAGES, {f"{COLUMNS}/scheme/required": False}, ("/required: a column of the key", "required: true"),
    ),
    "a full period by a database": (
        WAGES, {SOURCE: {"protocol": "database", "schemaName": "public", "table": "wages"}},
        (f"{DELIVERY}/kind", "full_period by sftp or file_drop"),
    ),
    "pages in a folder": (
        ROSTER, {FORMAT: {"kind": "json_pages", "rows": ["data"]}}, (f"{FORMAT}/kind", "csv or xlsx"),
    ),
    "a list that ends with a window": (
        ROSTER, {f"{DELIVERY}/completeness": {"kind": "window"}},
        (f"{DELIVERY}/completeness/kind", "control_file or file"),
    ),
    "a list by windows": (
        SITES, {f"{SOURCE}/window": {"fromParameter": "a", "toParameter": "b"}}, (f"{SOURCE}/window", "leave it out"),
    ),
    "changes of before the first ones": (
        SPELLS, {f"{DELIVERY}/coversFrom": dt.date(2010, 1, 1)}, (f"{DELIVERY}/coversFrom", "leave it out"),
    ),
    "a list that covers less than its first delivery": (
        SITES, {f"{DELIVERY}/coversFrom": dt.date(2027, 1, 1)}, (f"{DELIVERY}/coversFrom", "before the first delivery"),
    ),
    "changes without a watermark": (SPELLS, {f"{DELIVERY}/watermark": GONE}, (f"{DELIVERY}/watermark", "say it")),
    "a watermark that may be missing": (
        SPELLS, {f"{COLUMNS}/updated_at/required": False}, (f"{DELIVERY}/watermark/column", "required: true"),
    ),
    "a table parted by what is not of its key": (
        WAGES, {f"{COLUMNS}/recorded_on/partitioned": True}, ("partitioned", "a date of its key"),
    ),
    "a table that is not parted in an order": (
        WAGES, {f"{COLUMNS}/wage_month/partitioned": False}, ("partitionKeyPosition", "partitioned: true"),
    ),
    # Values
    "a withdrawal that no row says": (
        WAGES, {f"{DELIVERY}/withdrawal/value": "9"},
        (f"{DELIVERY}/withdrawal/value", "'9' is not in the column's code list"),
    ),
    "a condition that no row meets": (
        ROSTER, {"schema/0/quality": rule("given", NEAR_GIVEN, column="revoked_on", where_column="status",
                                          where_values=["已撤消"])},
        ("schema/0/quality/0/implementation/kwargs/where_values (rule given)", "'已撤消'", "did you mean '已撤销'?"),
    ),
    "codes beyond the code list": (
        ROSTER, {f"{COLUMNS}/status/quality": rule("status_code", value_set=["已认定", "已取消"])},
        ("quality/0/implementation/kwargs/value_set (rule status_code)", "'已取消'"),
    ),
    "a bound that is no code": (
        WORKSHOPS, {f"{COLUMNS}/workers_bound/customProperties/codeList": {
            "exact": ["准确", "exact"], "below": ["不足", "below"], "above": ["超过", "above"]}},
        (f"{CLEANING}/bounded_number/boundColumn", "'about'"),
    ),
    "a unit that no amount has": (
        WAGES, {f"{CLEANING}/unit/factors": {"元": 1, "万元": 10000, "千元": 1000}},
        (f"{CLEANING}/unit/factors", "'千元'"),
    ),
    "a unit without a factor": (
        WAGES, {f"{CLEANING}/unit/factors": {"元": 1}}, (f"{CLEANING}/unit/factors", "'万元'", "say its factor"),
    ),
    "yes and no in one word": (
        CERTIFICATES, {f"{CLEANING}/boolean_words/false": "0"}, (CLEANING, "'0' stands for yes and for no"),
    ),
    "an amount in two units": (
        SUBSIDIES, {f"{CLEANING}/7": {"kind": "declared_unit", "columns": ["amount_cny", "amount_cny"],
                                      "unit": "万元", "factor": 10000}},
        (f"{CLEANING}/declared_unit", "amount_cny", "says already"),
    ),
    "two pairs of words": (
        CERTIFICATES, {f"{CLEANING}/8": {"kind": "boolean_words", "column": "is_revoked", "true": "1", "false": "0"}},
        (f"{CLEANING}/boolean_words", "is_revoked", "says already"),
    ),
    "a column that the raw table has by itself": (
        WAGES, {f"{COLUMNS}/scheme/name": "sex"}, ("schema/0/properties/7/name", "is made of resident_id"),
    ),
    "a name that PostgreSQL would cut": (
        ROSTER, {"id": f"hrss/{'enterprises_' * 5}", "schema/0/physicalName": f"hrss_{'enterprises_' * 5}"},
        ("id: ", "65 characters"),
    ),
    # Touch and versions
    "a county that is a number": (
        ROSTER, {f"{TOUCH}/countyColumns": ["employees"]}, (f"{TOUCH}/countyColumns", "a string"),
    ),
    "a beginning that is a text": (ROSTER, {f"{TOUCH}/fromColumns": ["status"]}, (f"{TOUCH}/fromColumns", "a date")),
    "an end that is a time": (
        SPELLS, {f"{TOUCH}/toColumns": ["updated_at"]}, (f"{TOUCH}/toColumns", "logicalType date"),
    ),
    "a beginning without one": (ROSTER, {f"{TOUCH}/fromColumns": ["infinity"]}, (f"{TOUCH}/fromColumns", "toColumns")),
    "an end behind the open one": (
        SPELLS, {f"{TOUCH}/toColumns": ["infinity", "end_date"]}, (f"{TOUCH}/toColumns", "name it last"),
    ),
    "a county that is not described": (
        ROSTER, {f"{TOUCH}/countyColumns": ["county_kode"]}, (TOUCH, "did you mean 'county_code'?"),
    ),
    "another version than the watermark": (
        SPELLS, {f"{DELIVERY}/versionColumn": "start_date"}, (f"{DELIVERY}/versionColumn", "versionColumn: updated_at"),
    ),
    "no version of changes": (
        SPELLS, {f"{DELIVERY}/versionColumn": GONE}, (f"{DELIVERY}/versionColumn", "versionColumn: updated_at"),
    ),
    "a watermark on no day": (
        SPELLS, {f"{DELIVERY}/watermark/start": "2015-02-30 00:00:00"}, (f"{DELIVERY}/watermark/start", "is no time"),
    ),
    # When, and by whom
    "a cron of six fields": (
        ROSTER, {"slaProperties/1": {"property": "timeOfAvailability", "value": "then", "scheduler": "cron",
                                     "schedule": "0 0 9 15 1,4,7,10 *"}},
        ("slaProperties/1/schedule", "has 6 fields", "five"),
    ),
    "a cron that is out of range": (
        ROSTER, {"slaProperties/1/schedule": "0 25 15 * *"}, ("slaProperties/1/schedule", "'25' is no hour"),
    ),
    "a cron that never comes": (
        ROSTER, {"slaProperties/1/schedule": "0 9 31 6 *"}, ("slaProperties/1/schedule", "never comes"),
    ),
    "a promise twice": (
        ROSTER, {"slaProperties/3": {"property": "retention", "value": 12, "unit": "month"}},
        ("slaProperties", "retention stands twice"),
    ),
    "a misspelt pool": (ROSTER, {POOL: "department_hrs"}, (POOL, "'department_hrs'", "say department_hrss")),
    # Texts that say nothing
    "a label of nothing": (ROSTER, {f"{COLUMNS}/status/businessName": ""}, ("businessName", "is empty")),
    "a meaning of spaces": (ROSTER, {f"{COLUMNS}/status/description": "  "}, ("description", "is empty")),
    "a title of nothing": (ROSTER, {"customProperties/titleZh": ""}, ("customProperties/titleZh", "is empty")),
    "an owner of nothing": (ROSTER, {"customProperties/ownerZh": " "}, ("customProperties/ownerZh", "is empty")),
    "a name of nothing": (ROSTER, {"name": ""}, ("name", "is empty")),
    "an interface of nothing": (SITES, {f"{SOURCE}/interface": ""}, (f"{SOURCE}/interface", "is empty")),
    "a table of nothing": (SUBSIDIES, {f"{SOURCE}/table": ""}, (f"{SOURCE}/table", "is empty")),
    "a step of nothing": (SITES, {f"{FORMAT}/rows": ["data", ""]}, (f"{FORMAT}/rows/1", "is empty")),
    "a message of nothing": (
        ROSTER, {"schema/0/quality/0/implementation/meta/messageZh": ""}, ("meta/messageZh", "is empty"),
    ),
    "a reason of nothing": (ROSTER, {"schema/0/quality/0/description": ""}, ("quality/0/description", "is empty")),
    "a code without a meaning": (
        ROSTER, {f"{COLUMNS}/status/customProperties/codeList": {"已认定": ["已认定", ""], "已撤销": ["已撤销", "x"]}},
        ("codeList/已认定/1", "is empty"),
    ),
    # Nothing
    "no version column at all": (
        SPELLS, {f"{DELIVERY}/versionColumn": None}, (f"{DELIVERY}/versionColumn", "is empty"),
    ),
    "no folder at all": (ROSTER, {f"{SOURCE}/folder": None}, (f"{SOURCE}/folder", "leave the key out")),
    "no bound at all": (
        ROSTER, {f"{COLUMNS}/employees/logicalTypeOptions": {"minimum": None, "maximum": 5}},
        ("logicalTypeOptions/minimum", "leave the key out"),
    ),
    "no argument at all": (
        ROSTER, {"schema/0/quality/0/implementation/kwargs/or_equal": None}, ("kwargs/or_equal", "leave the key out"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", SPOILT)
def test_what_could_not_run_is_refused_when_it_is_read(wrong: str, tmp_path: Path) -> None:
    feed, changes, words = SPOILT[wrong]
    path = saved(tmp_path, feed, changed(feed, changes))
    with pytest.raises(ContractError) as refused:
        load_contract(path)
    said = str(refused.value)
    assert refused.value.file == path.name
    assert refused.value.advice
    for word in words:
        assert word in said


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/*.odcs.yaml")), ids=lambda path: path.stem)
def test_what_is_as_it_stands_is_read(path: Path, tmp_path: Path) -> None:
    """The table above changes what the contracts say, not how they are written."""
    feed = f"{path.parent.name}/{path.name.removesuffix('.odcs.yaml')}"
    assert load_contract(saved(tmp_path, feed, changed(feed, {}))).feed == feed


KEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "a name that is the same in a folder of each period": (
        WAGES, {f"{FILES}/part": r"part(?P<part>\d{1,4})\.csv\.gz", f"{FILES}/control": "all.ok",
                f"{FILES}/correction": r"correction(?P<part>\d+)\.csv\.gz"},
    ),
    "numbered parts": (
        WAGES, {f"{FILES}/part": r"wage_{yyyymm}_(?P<part>\d{2})\.csv\.gz", f"{FILES}/control": GONE,
                f"{DELIVERY}/completeness": {"kind": "quiet", "partCount": 12}},
    ),
    "a name that may have anything in it": (
        WORKSHOPS, {f"{FILES}/part": r"共富工坊.*{delivery}.*\.xlsx", f"{FORMAT}/layouts": [
            {"name": "a", "files": ".*(2024|2025)Q.*"}, {"name": "b", "files": ".*20(2[6-9]|3.)Q.*"}]},
    ),
    "a layout for some years to come": (
        WORKSHOPS, {f"{FORMAT}/layouts": [
            {"name": "a", "files": ".*_202[45]Q..xlsx"}, {"name": "b", "files": r".*_2026Q3\.xlsx"}]},
    ),
    "a file of tabs in another encoding": (WAGES, {f"{FORMAT}/encoding": "GBK", f"{FORMAT}/delimiter": "\t"}),
    "the last day of the month": (WAGES, {"slaProperties/1/schedule": "0 8 L * *"}),
    "a rule on some codes": (
        ROSTER, {f"{COLUMNS}/status/quality": rule("status_code", value_set=["已认定"])},
    ),
    "one column of the key without a position": (ROSTER, {f"{COLUMNS}/uscc/primaryKeyPosition": 1}),
    "a pool for one of a department's systems": (ROSTER, {POOL: "department_hrss_drop"}),
    "no county": (ROSTER, {f"{TOUCH}/countyColumns": []}),
}  # fmt: skip


@pytest.mark.parametrize("right", KEPT)
def test_what_other_feeds_need_is_read(right: str, tmp_path: Path) -> None:
    feed, changes = KEPT[right]
    assert load_contract(saved(tmp_path, feed, changed(feed, changes))).feed == feed


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """YAML keeps the last of them in silence."""
    text = (ROOT / f"{WAGES}.odcs.yaml").read_text(encoding="utf-8")
    path = tmp_path / "wage_records.odcs.yaml"
    column = "      - name: wage_month\n"
    for written, again, where in (
        ("version: 1.0.0\n", "version: 1.0.0\nversion: 1.0.1\n", "version: stands twice (line 7)"),
        (column, f"{column}        required: false\n", "schema/0/properties/6/required: stands twice"),
        ("      kind: csv\n", "      kind: csv\n      kind: xlsx\n", "customProperties/fileFormat/kind: stands twice"),
    ):
        assert written in text
        path.write_text(text.replace(written, again, 1), encoding="utf-8")
        with pytest.raises(ContractError, match="keep one") as refused:
            load_contract(path)
        assert where in str(refused.value)
        assert refused.value.file == path.name
        assert "stands twice" in lint_contract(path)[0]


def test_what_is_merged_from_an_anchor_may_be_said_otherwise(tmp_path: Path) -> None:
    text = (ROOT / f"{WAGES}.odcs.yaml").read_text(encoding="utf-8")
    old = "{kind: date_styles, columns: "
    path = tmp_path / "wage_records.odcs.yaml"
    path.write_text(text.replace(old, "{<<: {kind: first_of_month}, kind: date_styles, columns: ", 1), encoding="utf-8")
    assert len(load_contract(path).normalisations_of("date_styles")) == 1


def test_a_file_is_that_of_its_own_feed(tmp_path: Path) -> None:
    document = changed(ROSTER, {})
    saved(tmp_path, "hrss/skill_firms", document)
    for read in (lambda: load_contracts(tmp_path), lambda: find_contract(tmp_path, "hrss/skill_firms")):
        with pytest.raises(
            ContractError, match="id: is hrss/skill_enterprises, and the file is that of hrss/skill_firm"
        ):
            read()


def test_contracts_that_contradict_each_other_are_refused_together(tmp_path: Path) -> None:
    saved(tmp_path, ROSTER, changed(ROSTER, {}))
    other = changed(ROSTER, {"id": "hrss/skill_firms", "schema/0/physicalName": "hrss_skill_firms",
                             POOL: "department_hrss_drop"})  # fmt: skip
    saved(tmp_path, "hrss/skill_firms", other)
    with pytest.raises(ContractError, match="connectionId: hrss_file_drop is hrss's by file_drop in pool"):
        load_contracts(tmp_path)


BOTH_READ = (
    r"^[0-9]{4}$", r"(合计|小计)[:：]?", r".*位次", r"[\u4e00-\u9fff]+", r"[\w.-]+", r"a{2,}", r"[\[\]]", r"(?i:a)b",
    r"\-\/\:", r"(?:a)|b", r"[^\s]", r"\\1", r"[]a]", r"(?P<x>a)", r"\bfoo\B",
)  # fmt: skip
READ_OTHERWISE = (
    r"(?=a)b", r"(?<!a)b", r"(a)\1", r"(?P<x>a)(?P=x)", r"(?>a)b", r"a++", r"a{,3}", r"(?#note)a", r"(?a)a", r"a\Z",
    r"\0", r"\合", r"[[a]", r"[a&&b]", r"[\b]", r"x{a}", r"(a)(?(1)b|c)", r"\<a", "(", r"\N{BULLET}",
)  # fmt: skip


@pytest.mark.parametrize("written", [*BOTH_READ, *READ_OTHERWISE])
def test_only_what_both_engines_read_alike_judges_columns(written: str) -> None:
    expression: TypeAdapter[str] = TypeAdapter(ColumnExpression)
    if written in BOTH_READ:
        assert expression.validate_python(written) == written
        pl.Series(["a"]).str.contains(written)
    else:
        with pytest.raises(ValidationError, match=r"columns cannot|no regular expression"):
            expression.validate_python(written)


@pytest.mark.parametrize(
    "written",
    ["0 6 * * *", "0 9 15 1,4,7,10 *", "30 6 * * mon-fri", "*/15 8-18 * * *", "0 8 1-7/2 * *", "0 8 L * *",
     "0 8 29 2 *", "0 8 1 jan *", "0 8 10/5 * 7", "0 8 30 2,4 *"],
)  # fmt: skip
def test_crons_that_pass_have_a_next_day(written: str) -> None:
    assert TypeAdapter(Cron).validate_python(written) == written
    assert croniter(written, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).get_next(dt.datetime)


@pytest.mark.parametrize(
    "written",
    ["", "@daily", "0 8 20 *", "0 8 20 * * *", "60 8 20 * *", "0 8 0 * *", "0 8 1 13 *", "0 8 1 januar *",
     "0 8 5-1 * *", "x 8 1 * *", "0 8 1 * 8", "0 8 */0 * *", "0 8 31 2,4 *", "0 8 ? * *", "0 8 1,,2 * *"],
)  # fmt: skip
def test_crons_that_could_not_come_are_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Cron).validate_python(written)


def test_groups_are_judged_by_themselves() -> None:
    nested = r"(?P<part>(a|b)[)]\)?(c{1,2}))_(?P<parts>\d{3})"
    assert not is_of_digits(nested, "part")
    assert is_of_digits(nested, "parts")
    assert (number_form(nested, "parts", 7), number_form(r"(?P<part>0\d)", "part", 7)) == ("007", "07")
    assert plain_name(r"a\.b_(?P<part>[a-z]+)\.csv", {"part": "x.y"}) == "a.b_x.y.csv"
    assert plain_name(r"a_\d+\.csv", {}) is None
    assert plain_name("a_(b|c)", {}) is None
