"""The language in which the command line speaks: Chinese, English, or English with the Chinese names beside it.

Code says everything once, in English, where it happens. What reaches a person goes through :func:`say`, which knows
the finished sentence by the templates of the catalogue (``zh/*.po``) and says it in Chinese, its values carried over.
What is not recognised stays as it is. Nothing that a machine reads comes by here: keys, codes and ``--json`` are the
same in every language.

Without a choice a Chinese locale means Chinese. Any other locale means both: servers run with ``C.UTF-8`` or
``en_US.UTF-8`` whoever sits before them, and the Chinese names are the official ones, so that only somebody who asks
for English alone is given it alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from threegaps.translations.catalogue import Catalogue

Language = Literal["zh", "en", "both"]
LANGUAGES: tuple[Language, ...] = ("zh", "en", "both")
VARIABLE = "THREEGAPS_LANG"
OPTION = "--lang"
COLUMN = "column"
"""The context of what stands above a column of a table."""

# What stands before a line, and is none of its values.
_MARK = re.compile(r"[!✓✗…–] ")
_in_use: list[Language] = ["both"]


def language() -> Language:
    """The language that is spoken."""
    return _in_use[0]


def use(wanted: Language) -> None:
    """Speak *wanted* from now on."""
    _in_use[0] = wanted


def of_locale(environment: Mapping[str, str]) -> Language:
    """The language that *environment* asks for: by its own variable, else by the first variable of the locale set."""
    asked = environment.get(VARIABLE, "").strip().lower()
    if asked in LANGUAGES:
        return cast("Language", asked)
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "both"


def asked_first(arguments: Sequence[str]) -> list[str]:
    """*arguments* with ``--lang X``, wherever it stands, in front, where an option of the whole program belongs."""
    rest = list(arguments)
    end = rest.index("--") if "--" in rest else len(rest)
    for index, argument in enumerate(rest[:end]):
        if argument.startswith(f"{OPTION}="):
            return [argument, *rest[:index], *rest[index + 1 :]]
        if argument == OPTION and index + 1 < end:
            return [argument, rest[index + 1], *rest[:index], *rest[index + 2 :]]
    return rest


def asked(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language that *arguments* ask for, else *environment*; what is none the option refuses."""
    first = asked_first(arguments)
    if first and first[0].startswith(f"{OPTION}="):
        wanted = first[0].partition("=")[2]
    else:
        wanted = first[1] if len(first) > 1 and first[0] == OPTION else ""
    wanted = wanted.lower()
    return cast("Language", wanted) if wanted in LANGUAGES else of_locale(environment)


def say(text: str) -> str:
    """*text*, a finished sentence or several, in the language that is spoken."""
    if language() == "both" or not text:
        return text
    mark = _MARK.match(text)
    begun = mark.end() if mark else 0
    return text[:begun] + _catalogue(language()).said(text[begun:])


def in_both(text: str) -> tuple[str, str]:
    """*text* in Chinese and in English, whichever is spoken: what goes to people of whom neither is known."""
    return _catalogue("zh").said(text), _catalogue("en").said(text)


def word(text: str, context: str) -> str:
    """A word or a code as *context* has it: the name of a column (:data:`COLUMN`), or what stands in that column."""
    if language() == "both" or not text:
        return text
    return _catalogue(language()).word(text, context)


def either(zh: str, en: str) -> str | None:
    """The one of two that is in the language spoken; None where both are to be said, or that one is not there."""
    spoken = language()
    if spoken == "both":
        return None
    return (zh if spoken == "zh" else en) or None


@cache
def _catalogue(spoken: str) -> Catalogue:
    from threegaps.translations.catalogue import Catalogue

    return Catalogue.of(spoken)
