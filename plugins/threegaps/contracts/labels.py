"""What people read about a column: the one text of raw tables, staging and the catalogue, made from the contract."""

from __future__ import annotations

from threegaps.contracts.model import Code, Column
from threegaps.contracts.options.platforms import SourcePlatform
from threegaps.contracts.options.statutory import StatisticalForm, StatutoryMark
from threegaps.labels import STATUTORY_MARKS

# A longer list of codes is looked up in the catalogue: in a column's comment it would hide the label.
_MOST_CODES = 10
_MOST_CHARACTERS = 90


def meaning_zh(column: Column) -> str:
    """The label in Chinese, with its codes where they are few and what else a reader has to know."""
    codes = codes_zh(column)
    is_short = len(column.code_list) <= _MOST_CODES and len(codes) <= _MOST_CHARACTERS
    details = [*([codes] if codes and is_short else []), *([column.note_zh] if column.note_zh else [])]
    return f"{column.description_zh}({';'.join(details)})" if details else column.description_zh


def codes_zh(column: Column, *, between: str = "") -> str:
    """The codes of a column with their meanings, empty where it is no code.

    Args:
        column: The column.
        between: What stands between a code and its meaning.
    """
    return ",".join(_code_zh(code, between) for code in column.code_list)


def _code_zh(code: Code, between: str) -> str:
    return code.label_zh if code.code == code.label_zh else f"{code.code}{between}{code.label_zh}"


def bilingual(zh: str, en: str) -> str:
    """A text in both languages, as comments of tables and columns carry it."""
    return f"{zh} | {en}"


def mark_zh(mark: StatutoryMark) -> str:
    """What a feed is by the Statistics Law, in Chinese, with all that a form has to carry."""
    if not isinstance(mark, StatisticalForm):
        return f"{STATUTORY_MARKS[mark.kind][0]}({mark.activity_zh})"
    example = ",表号、文号、有效期均为示例,非真实文号" if mark.is_example else ""
    return (
        f"{STATUTORY_MARKS[mark.kind][0]}({mark.survey_zh};表号{mark.form_number},制表机关{mark.agency_zh},批准文号{mark.approval_number},"
        f"有效期至{mark.valid_until}{example})"
    )


def mark_en(mark: StatutoryMark) -> str:
    """The same in English."""
    if not isinstance(mark, StatisticalForm):
        return STATUTORY_MARKS[mark.kind][1]
    example = "; its numbers and the date are examples" if mark.is_example else ""
    return f"{STATUTORY_MARKS[mark.kind][1]}, valid until {mark.valid_until}{example}"


def platform_zh(source: SourcePlatform) -> str:
    """Which platform of the plan a feed comes from, in Chinese, and why it is taken to be that one."""
    assumed = ",为本项目的理解" if source.is_assumed else ""
    return f"{source.platform.name_zh}({source.platform.clause_zh};{source.basis_zh}{assumed})"


def platform_en(source: SourcePlatform) -> str:
    """The same in English."""
    return source.platform.name_en + (" (our reading of the plan)" if source.is_assumed else "")
