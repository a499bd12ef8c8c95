"""Names of files and folders with a placeholder for the delivery's period, and what their groups can be."""

from __future__ import annotations

import re

from threegaps.calendar import Delivery
from threegaps.contracts.options.base import nearest

DELIVERY, MONTH = "{delivery}", "{yyyymm}"
_PLACEHOLDERS = (DELIVERY, MONTH)
_BRACES = re.compile(r"\\.|\{[^{}]*\}|[{}]", re.DOTALL)
_TIMES = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}|\{,[0-9]+\}")
_PARENTHESES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", re.DOTALL)
_FLAGS = re.compile(r"\(\?[aimsux]+\)")
_SIGNS = re.compile(r"\\(?P<escaped>.)|(?P<special>[][^$*+?{}|()])|(?P<plain>.)", re.DOTALL)
_NO_NUMBERS = ("", "a", "-", "一")


def filled(template: str, delivery: Delivery) -> str:
    """A name, folder or pattern with ``{delivery}`` and ``{yyyymm}`` (the month as departments write it) filled in."""
    return template.replace(DELIVERY, delivery.key).replace(MONTH, f"{delivery.start:%Y%m}")


def has_period(template: str) -> bool:
    """Whether a name or a folder is each delivery's own."""
    return DELIVERY in template or MONTH in template


def checked_placeholders(template: str, *, is_expression: bool) -> str:
    """The template itself.

    Args:
        template: A name, or a regular expression for names, in which numbers of times stand in braces too.
        is_expression: Which of the two.

    Raises:
        ValueError: Something else than a placeholder stands in braces.
    """
    for token in _BRACES.findall(template):
        if token[0] == "\\" or token in _PLACEHOLDERS or (is_expression and _TIMES.fullmatch(token)):
            continue
        if len(token) == 1:
            raise ValueError(f"a {token!r} by itself" + (": write it behind a backslash" if is_expression else ""))
        raise ValueError(f"{token} is no placeholder{nearest(token, _PLACEHOLDERS)}")
    return template


def compiled_template(template: str) -> re.Pattern[str]:
    """The pattern of a template in which no period is filled in.

    Raises:
        ValueError: It is no regular expression.
    """
    try:
        return re.compile(template.replace(DELIVERY, "").replace(MONTH, ""), re.ASCII)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from None


def group_span(expression: str, name: str) -> tuple[int, int] | None:
    """Where the named group stands in a regular expression, its parentheses included; None where it has none."""
    start = expression.find(f"(?P<{name}>")
    depth = 0
    for token in _PARENTHESES.finditer(expression, max(start, 0)):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth and token[0] == ")":
            return (start, token.end()) if start >= 0 else None
    return None


def group_fits(expression: str, name: str, text: str) -> bool:
    """Whether the named group by itself, wherever it stands in the expression, can be *text*."""
    span, flags = group_span(expression, name), _FLAGS.match(expression)
    if span is None:
        return False
    group = (flags[0] if flags else "") + expression[span[0] : span[1]]
    return re.fullmatch(group, text, re.ASCII) is not None


def number_form(expression: str, name: str, number: int) -> str | None:
    """*number* as the named group can be it, with zeros before it if need be; None where it cannot."""
    forms = (f"{number:0{width}}" for width in range(1, 9))
    return next((form for form in forms if group_fits(expression, name, form)), None)


def is_of_digits(expression: str, name: str) -> bool:
    """Whether the named group is a number whatever a file is called."""
    return number_form(expression, name, 1) is not None and not any(
        group_fits(expression, name, text) for text in _NO_NUMBERS
    )


def plain_name(expression: str, groups: dict[str, str]) -> str | None:
    """The one name that an expression fits when its groups are these texts; None where it may fit several."""
    for name, text in groups.items():
        span = group_span(expression, name)
        if span is not None:
            expression = expression[: span[0]] + re.escape(text) + expression[span[1] :]
    made = ""
    for sign in _SIGNS.finditer(expression):
        escaped = sign["escaped"]
        if sign["special"] or (escaped is not None and escaped.isalnum()):
            return None
        made += escaped or sign["plain"]
    return made
