"""The catalogue of one language: templates by which a finished message is recognised, and what is said for it.

The files are gettext's (``.po``), so that a translator's tools open them. ``msgid`` is the text as the source has it;
``{0}``, ``{1:,}``, ``{2!r}`` stand where the source puts values in, in their order. ``msgstr`` has the same numbers, in
any order. ``msgctxt`` parts words that are said otherwise in other places: the column that a code stands in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from threegaps import labels

FOLDER = Path(__file__).parent
PLACEHOLDER = re.compile(r"\{(\d+)(![rsa])?(:[^{}]*)?\}")

_ESCAPED = {"{{": "{", "}}": "}"}
_QUOTED = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_NUMBER = r"[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
# So many letters say which sentence it is, and so does a word with a colon in front; else the values must be short, or
# known themselves.
_TELLING_LETTERS = 12
_SHORT_WORDS = 3
# Where a text may be taken apart when it is not known as a whole; what stands between stays as it is.
_JOINT = re.compile(r"(: |; |, | · | \| |(?<=[.。!?]) (?=\S)|\n+| {2,}| \(|\)|\[|\] )")
_SENTENCES = re.compile(r"[.;!?。] ?\S")
_MOST_PIECES = 60
_LONGEST_RUN = 12
_MARKS = re.compile(r"^[^\w`'\"(\[{<]+")
_DEEPEST = 6
_SINGLE = re.compile(r"[\w./@+-]*")


@dataclass(frozen=True)
class Entry:
    """One entry of a file, with the place where it stands."""

    msgid: str
    msgstr: str
    context: str
    file: str
    line: int


def read(path: Path) -> Iterator[Entry]:
    """The entries of a ``.po`` file that are translated; obsolete and fuzzy ones are passed over.

    Raises:
        ValueError: A line is none of the format.
    """
    fields: dict[str, str] = {}
    begun, field, is_fuzzy = 0, "", False

    def ended() -> Iterator[Entry]:
        if fields.get("msgid") and fields.get("msgstr") and not is_fuzzy:
            yield Entry(fields["msgid"], fields["msgstr"], fields.get("msgctxt", ""), path.name, begun)

    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if "msgstr" in fields:
                yield from ended()
                fields, is_fuzzy = {}, False
            is_fuzzy = is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        if not line.startswith('"'):
            field, _, line = line.partition(" ")
            if field not in {"msgctxt", "msgid", "msgstr"}:
                raise ValueError(f"{path.name}:{number}: {field} is no field of an entry")
            if "msgstr" in fields:
                yield from ended()
                fields, is_fuzzy = {}, False
            if not fields:
                begun = number
        fields[field] = fields.get(field, "") + (str(ast.literal_eval(line)) if "\\" in line else line[1:-1])
    yield from ended()


def letters(text: str) -> int:
    """How many letters *text* has; a Chinese character says as much as three."""
    return sum(3 if character > "\u2e80" else 1 for character in text if character.isalpha())


class Template:
    """A text with places for values, and what is said for it."""

    def __init__(self, msgid: str, msgstr: str) -> None:
        self.literals, self.kinds, numbers = _parts(msgid)
        self.weight = letters("".join(self.literals))
        self.anchor = max(self.literals, key=len)
        self.is_telling = self.weight >= _TELLING_LETTERS or self.literals[0].endswith(": ")
        # Values that stand side by side cannot be told apart: they are carried over as one.
        said_literals, _, said_numbers = _parts(msgstr)
        group_of = {number: index for index, group in enumerate(numbers) for number in group}
        self._said: list[str | int] = [said_literals[0]]
        for group, literal in zip(said_numbers, said_literals[1:], strict=True):
            known = list(dict.fromkeys(group_of[number] for number in group))
            self._said += [*known, literal]
        self.is_whole = sorted(part for part in self._said if isinstance(part, int)) == list(range(len(numbers)))

    def values(self, text: str, is_known: Callable[[str], bool] = lambda _: False) -> Sequence[str] | None:
        """The values with which the template is *text*; None where it is not.

        Where a value holds what stands between two values there are several readings: they must come to the same, or
        one of them alone must have only values that are a single word or *is_known*. Else it is None, too.
        """
        head, *middle, tail = self.literals
        begin, end = len(head), len(text) - len(tail)
        if begin > end or not text.startswith(head) or not text.endswith(tail):
            return None
        readings = [
            values
            for values in (_from_the_left(text, begin, end, middle), _from_the_right(text, begin, end, middle))
            if values is not None and self._fits(values)
        ]
        if len({self.filled(values) for values in readings}) > 1:
            readings = [
                values for values in readings if all(_SINGLE.fullmatch(value) or is_known(value) for value in values)
            ]
        return readings[0] if len({self.filled(values) for values in readings}) == 1 else None

    def _fits(self, values: Sequence[str]) -> bool:
        return all(not kind or re.fullmatch(kind, value) for kind, value in zip(self.kinds, values, strict=True))

    def filled(self, values: Sequence[str]) -> str:
        """What is said, with *values*."""
        return "".join(part if isinstance(part, str) else values[part] for part in self._said)


def _from_the_left(text: str, begin: int, end: int, literals: Sequence[str]) -> list[str] | None:
    """What stands between *literals*, each taken where it comes first."""
    values = []
    for literal in literals:
        place = text.find(literal, begin, end)
        if place < 0:
            return None
        values.append(text[begin:place])
        begin = place + len(literal)
    return [*values, text[begin:end]]


def _from_the_right(text: str, begin: int, end: int, literals: Sequence[str]) -> list[str] | None:
    """What stands between *literals*, each taken where it comes last."""
    values: list[str] = []
    for literal in reversed(literals):
        place = text.rfind(literal, begin, end)
        if place < 0:
            return None
        values.insert(0, text[place + len(literal) : end])
        end = place
    return [text[begin:end], *values]


def _is_short(value: str) -> bool:
    """Whether a value may stand in a text that few words tell: some words of one sentence."""
    return 0 < len(value.split()) <= _SHORT_WORDS and not _SENTENCES.search(value)


def _parts(text: str) -> tuple[list[str], list[str], list[list[int]]]:
    """Literal parts, and between them the pattern of each value ('' for any) and the numbers of those side by side."""
    literals = [""]
    kinds: list[str] = []
    numbers: list[list[int]] = []
    end = 0
    for found in re.finditer(r"\{\{|\}\}|" + PLACEHOLDER.pattern, text):
        literals[-1] += text[end : found.start()]
        end = found.end()
        if found[0] in _ESCAPED:
            literals[-1] += _ESCAPED[found[0]]
        elif numbers and not literals[-1]:
            numbers[-1].append(int(found[1]))
            kinds[-1] = ""
        else:
            numbers.append([int(found[1])])
            kinds.append(_kind(found[2] or "", found[3] or ""))
            literals.append("")
    literals[-1] += text[end:]
    return literals, kinds, numbers


def _kind(conversion: str, form: str) -> str:
    if conversion == "!r":
        return _QUOTED + r"|[^\s'\"]+"
    return _NUMBER if form and form[-1] in ",dfge" else ""


def _labels(language: str) -> Iterator[Entry]:
    """The codes' labels: where both languages are said together each in one of them, and in columns that hold codes."""
    is_chinese = language == "zh"
    for name, kind in vars(labels).items():
        if name.isupper() and isinstance(kind, dict) and not name.startswith("OF_"):
            for zh, en in kind.values():
                yield Entry(f"{zh} {en}", zh if is_chinese else en, "", name, 0)
    for column, kind in labels.OF_COLUMNS.items():
        for code, (zh, en) in kind.items():
            for written in {code, en}:
                yield Entry(written, zh if is_chinese else en, column, "OF_COLUMNS", 0)


class Catalogue:
    """All that is said in one language."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._words = {(entry.context, entry.msgid): entry.msgstr for entry in entries if entry.context}
        plain = [entry for entry in entries if not entry.context]
        self._exact = {
            entry.msgid.replace("{{", "{").replace("}}", "}"): entry.msgstr.replace("{{", "{").replace("}}", "}")
            for entry in plain
            if not PLACEHOLDER.search(entry.msgid)
        }
        templates = [Template(entry.msgid, entry.msgstr) for entry in plain if PLACEHOLDER.search(entry.msgid)]
        self._templates = sorted(
            (one for one in templates if one.weight and one.kinds), key=lambda one: one.weight, reverse=True
        )
        # With the depth at which each was looked for: too deep its values are not said, and a higher one looks anew.
        self._known: dict[str, tuple[int, str | None]] = {}

    @classmethod
    def of(cls, language: str) -> Catalogue:
        """The catalogue of *language*; an empty one where there are no files for it."""
        return cls(
            [*_labels(language), *(entry for path in sorted((FOLDER / language).glob("*.po")) for entry in read(path))]
        )

    def word(self, text: str, context: str) -> str:
        """*text* as it is said in *context*; without such an entry as it is."""
        return self._words.get((context, text), text)

    def said(self, text: str) -> str:
        """*text* in this language as far as it is known; every value in it as it was."""
        return self._said(text, 0)

    def _said(self, text: str, depth: int) -> str:
        if depth > _DEEPEST or not any(character.isalpha() for character in text):
            return text
        if depth and " " not in text.strip() and _SINGLE.fullmatch(text.strip()):
            return text  # a value: one word may be anybody's name
        whole = self._whole(text, depth)
        if whole is not None:
            return whole
        marks = _MARKS.match(text)
        if marks:
            rest = text[marks.end() :]
            return text if not rest else marks[0] + self._said(rest, depth)
        return self._by_pieces(text, depth)

    def _whole(self, text: str, depth: int) -> str | None:
        if (exact := self._exact.get(text)) is not None:
            return exact
        looked_at, found = self._known.get(text, (_DEEPEST + 1, None))
        if looked_at <= depth:
            return found
        found = None
        self._known[text] = (0, None)  # while it is looked for: it is not said by itself
        for template in self._templates:
            if template.anchor not in text or (values := template.values(text, self._is_known)) is None:
                continue
            said = [
                value if kind else self._said(value, depth + 1)
                for kind, value in zip(template.kinds, values, strict=True)
            ]
            if not template.is_telling and any(
                now == value and not _is_short(value) for now, value in zip(said, values, strict=True)
            ):
                continue
            found = template.filled(said)
            break
        self._known[text] = (depth, found)
        return found

    def _is_known(self, text: str) -> bool:
        return self._whole(text, _DEEPEST) is not None

    def _by_pieces(self, text: str, depth: int) -> str:
        """*text* with those of its pieces that are known, the longest first, in this language."""
        pieces = _JOINT.split(text)
        if not 1 < len(pieces) <= _MOST_PIECES:
            return text
        done: list[str] = []
        start = 0
        while start < len(pieces):
            for end in range(min(len(pieces), start + 2 * _LONGEST_RUN + 1), start, -2):
                run = "".join(pieces[start:end])
                if " " not in run.strip():
                    continue
                # what hangs on to a sentence begins with its joint
                if start and (known := self._whole(pieces[start - 1] + run, depth + 1)) is not None:
                    done[-1] = known
                    break
                if (start, end) != (0, len(pieces)) and (known := self._whole(run, depth + 1)) is not None:
                    done.append(known)
                    break
            else:
                end = start + 1
                done.append(pieces[start])
            done += pieces[end : end + 1]
            start = end + 1
        return "".join(done)
