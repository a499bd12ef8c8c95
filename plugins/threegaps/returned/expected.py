"""What a column of a contract takes, in the words of whoever fills it in, with an example that its rules take."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from threegaps.contracts.model import Code, Column, Contract
from threegaps.rules.kinds.between import Between, outside, sides_of
from threegaps.rules.kinds.match_regex import MatchRegex
from threegaps.rules.kinds.text_of_type import PLAIN_WORDS

_TYPES_ZH = {
    "date": "日期",
    "timestamp": "日期和时间",
    "integer": "整数",
    "number": "数值",
    "string": "文本",
}
# What a value may look like where no rule asks for another one.
_EXAMPLES: dict[str, Any] = {
    "date": dt.date(2026, 6, 30),
    "timestamp": "2026-06-30 08:00:00",
    "integer": 12,
    "number": Decimal("12.5"),
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
# The same of a form that can be said in words: no letter is repeated, and how often has an end.
_SAID = re.compile(r"((?:[^\[\](){}|*+?\\^$.])+)|\[([^\]^]+)\](?:\{([0-9]+)(?:,([0-9]+))?\})?(?![*+?{])")
_ONE_OF_TWO = re.compile(r"\(\?:([^|()\[\]]+)\|([^|()\[\]]+)\)")
_CLASSES_ZH = {
    "0-9": "数字",
    "A-Z": "大写字母",
    "0-9A-Z": "数字或大写字母",
    "0-9A-Za-z-": "数字、字母或“-”",
}


def expected_zh(contract: Contract, column: Column) -> str:
    """What belongs into a cell of *column*: its form or its codes, its range, and whether it may be empty."""
    example = example_for(contract, column)
    kind = _type_zh(contract, column) + (f",如 {example}" if example else "")
    parts = [kind, *_asked(contract, column)]
    if column.code_list:
        shown = "、".join(_code_zh(code) for code in column.code_list[:_MOST_CODES])
        more = f"等{len(column.code_list)}个代码" if len(column.code_list) > _MOST_CODES else ""
        parts[0] = f"代码:{shown}{more}"
    parts.append("必填" if column.required else "可为空")
    return ";".join(parts)


def _code_zh(code: Code) -> str:
    return code.code if code.code == code.label_zh else f"{code.code} {code.label_zh}"


def _type_zh(contract: Contract, column: Column) -> str:
    if column.logical_type != "boolean":
        return _TYPES_ZH.get(column.logical_type, "文本")
    return "或".join(contract.boolean_words.get(column.name, PLAIN_WORDS))


def _asked(contract: Contract, column: Column) -> Iterator[str]:
    """What the contract's rules ask of the column alone."""
    for rule in contract.rules:
        if column.name not in rule.columns or (rule.action != "refuse" and rule.expectation not in _FORMS_ZH):
            continue
        if isinstance(rule.arguments, Between):
            yield "且".join(zh for zh, _ in sides_of(rule.arguments))
        elif isinstance(rule.arguments, MatchRegex):
            yield f"格式:{form_zh(rule.arguments.regex) or rule.arguments.regex}"
        elif rule.expectation in _FORMS_ZH and rule.columns[0] == column.name:
            yield _FORMS_ZH[rule.expectation]


def example_for(contract: Contract, column: Column) -> str:
    """A text that the column's own rules take; empty where none is known, or where its codes are listed anyway."""
    rules = [rule for rule in contract.rules if rule.columns[:1] == (column.name,)]
    if column.code_list or any(rule.expectation in _FORMS_ZH for rule in rules):
        return ""
    forms = [rule.arguments.regex for rule in rules if isinstance(rule.arguments, MatchRegex)]
    ranges = [rule.arguments for rule in rules if isinstance(rule.arguments, Between)]
    usual = _EXAMPLES.get(column.logical_type)
    values = [example_of(form) for form in forms] if usual is None else [usual, *_inside(ranges, usual)]
    for value in values:
        text = str(value)
        if all(re.search(form, text) for form in forms) and not any(any(outside(value, one)) for one in ranges):
            return text
    return ""


def _inside(ranges: list[Between], usual: Any) -> Iterator[Any]:
    """What may lie in all of the ranges, of the type of a usual value: the middle of each, and its bounds."""
    for one in ranges:
        bounds = [bound for bound in (one.min_value, one.max_value) if bound is not None]
        if isinstance(usual, dt.date):
            yield from (dt.date.fromisoformat(str(bound)) for bound in bounds)
            continue
        numbers = [Decimal(str(bound)) for bound in bounds]
        for number in (sum(numbers) / len(numbers), *numbers):
            yield int(number) if isinstance(usual, int) else number


def form_zh(expression: str) -> str:
    """The form that a regular expression asks for, in words; empty where it is made of more than parts in a row."""
    plain = expression.removeprefix("^").removesuffix("$")
    if (expression[:1], expression[-1:]) != ("^", "$"):
        return ""
    said: list[str] = []
    place = 0
    while place < len(plain):
        either = _ONE_OF_TWO.match(plain, place)
        piece = either or _SAID.match(plain, place)
        if piece is None:
            return ""
        said.append(f"“{either[1]}”或“{either[2]}”" if either else _piece_zh(piece))
        place = piece.end()
    return "+".join(said)


def _piece_zh(piece: re.Match[str]) -> str:
    text, letters, least, most = piece.groups()
    if text:
        return f"“{text}”"
    times = f"{least}至{most}位" if most else f"{least or 1}位"
    if letters in _CLASSES_ZH:
        return times + _CLASSES_ZH[letters]
    if re.fullmatch(r"[0-9]-[0-9]", letters):
        return f"{times}数字({letters[0]}至{letters[2]})"
    return f"{times}“{letters}”中的字符" if "-" not in letters else f"{times}字符({letters})"


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
