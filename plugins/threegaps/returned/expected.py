"""What a column of a contract takes, in the words of whoever fills it in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threegaps.contracts.model import Column, Contract
from threegaps.rules.kinds.between import Between, sides_of
from threegaps.rules.kinds.match_regex import MatchRegex

_TYPES_ZH = {
    "date": "日期,如 2026-06-30",
    "timestamp": "日期和时间,如 2026-06-30 08:00:00",
    "integer": "整数,如 12",
    "number": "数值,如 12.5",
    "boolean": "是或否",
    "string": "文本",
}
# What a kind of rule asks of a column on top of its type, where its message says only that it does not hold.
_FORMS_ZH = {
    "expect_credit_code_to_be_valid": "18位统一社会信用代码",
    "expect_resident_id_to_be_valid": "居民身份证为18位公民身份号码",
    "expect_county_code_to_be_valid": "6位县(市、区)代码,如 330106",
}
_MOST_CODES = 12
_EITHER = re.compile(r"\(\?:([^|()]+)\|[^()]*\)")
# A letter or a class of letters, and how often.
_PIECE = re.compile(r"(?:([^\[\](){}|*+?\\])|\[([^\]]+)\])(\{[0-9]+(?:,[0-9]*)?\}|[*+?]?)")


def expected_zh(contract: Contract, column: Column) -> str:
    """What belongs into a cell of *column*: its form or its codes, its range, and whether it may be empty."""
    parts = [_TYPES_ZH.get(column.logical_type, "文本"), *_asked(contract, column)]
    if column.code_list:
        shown = "、".join(f"{code.code} {code.label_zh}" for code in column.code_list[:_MOST_CODES])
        more = f"等{len(column.code_list)}个代码" if len(column.code_list) > _MOST_CODES else ""
        parts[0] = f"代码:{shown}{more}"
    parts.append("必填" if column.required else "可为空")
    return ";".join(parts)


def _asked(contract: Contract, column: Column) -> Iterator[str]:
    """What the contract's rules ask of the column alone."""
    for rule in contract.rules:
        if column.name not in rule.columns or rule.action != "refuse":
            continue
        if isinstance(rule.arguments, Between):
            yield "且".join(zh for zh, _ in sides_of(rule.arguments))
        elif isinstance(rule.arguments, MatchRegex):
            example = example_of(rule.arguments.regex)
            yield f"格式:{rule.arguments.regex}" + (f",如 {example}" if example else "")
        elif rule.expectation in _FORMS_ZH and rule.columns[0] == column.name:
            yield _FORMS_ZH[rule.expectation]


def example_of(expression: str) -> str:
    """A text that has the form of a regular expression; empty where it is made of more than letters and classes."""
    made: list[str] = []
    plain = _EITHER.sub(r"\1", expression.removeprefix("^").removesuffix("$"))
    for letter, letters, count in _PIECE.findall(plain):
        times = 0 if count in {"*", "?"} else int(count.strip("{}").partition(",")[0]) if "{" in count else 1
        one = "a" if letters.startswith("^") else letters[:1]
        made += [letter or (str((len(made) + place) % 10) if "0-9" in letters else one) for place in range(times)]
    example = "".join(made)
    return example if re.search(expression, example) else ""
