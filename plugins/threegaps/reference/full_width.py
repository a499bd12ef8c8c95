"""Chinese text with the punctuation of Chinese: seeds and contracts write it half-width, pages show it full-width."""

from __future__ import annotations

import re

_FULL = {",": "\uff0c", ";": "\uff1b", ":": "\uff1a"}
_CHINESE = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef\u2018-\u201d"
# Behind Chinese; or before it, behind a number, a letter or a bracket.
_MARK = re.compile(rf"(?<=[{_CHINESE}])[,;:]|(?<=[0-9A-Za-z%‰*)])[,;:](?=[{_CHINESE}])")
_BRACKETS = re.compile(rf"(?<=[{_CHINESE}])\(([^()]*)\)")
# Tags, and what is no text for people.
_APART = re.compile(r"(<(?:script|code|style)\b.*?</(?:script|code|style)>|<[^>]*>)", re.DOTALL)


def full_width(text: str) -> str:
    """*text* with commas, semicolons, colons and brackets that stand behind Chinese in full width."""
    before = None
    while text != before:  # one bracket may stand behind another
        before, text = text, _BRACKETS.sub(lambda found: f"\uff08{found[1]}\uff09", text)
    return _MARK.sub(lambda found: _FULL[found[0]], text)


def full_width_page(page: str) -> str:
    """The same of the text of a page: not of its tags, its codes, nor of what stands in attributes."""
    return "".join(part if part.startswith("<") else full_width(part) for part in _APART.split(page))
