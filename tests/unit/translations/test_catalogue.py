"""A finished message is recognised and said in Chinese, and no value in it is lost or changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import assume, given
from hypothesis import strategies as st

from threegaps.translations.catalogue import FOLDER, PLACEHOLDER, Catalogue, Entry, Template, read

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FILES = sorted(FOLDER.glob("*/*.po"))
ENTRIES = [entry for path in FILES for entry in read(path)]
WHOLE = {path.name: Catalogue.of(path.name) for path in sorted(FOLDER.iterdir()) if (path / "cli.po").exists()}
PLACED = [(path.parent.name, entry) for path in FILES for entry in read(path) if PLACEHOLDER.search(entry.msgid)]


def catalogue(**said: str) -> Catalogue:
    """A catalogue of *said*, English by Chinese."""
    return Catalogue([Entry(english, chinese, "", "test.po", 1) for chinese, english in said.items()])


LATE = Entry("{0} is late: {1} was due on day {2:,}.", "{0}迟到:每月{2}日前应到{1}。", "", "t.po", 1)
NOT_THERE = Entry("There is no folder {0!r}.", "没有文件夹{0}。", "", "t.po", 2)
BROKE = Entry("The load of {0} broke off: {1}", "{0} 的载入中断: {1}", "", "t.po", 3)
NONE = Entry("none", "无", "", "t.po", 4)
IN_WORDS = Entry("stopped", "已停止", "status", "t.po", 5)
SMALL = Catalogue([LATE, NOT_THERE, BROKE, NONE, IN_WORDS])


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("a/b is late: 2026-06 was due on day 20.", "a/b迟到:每月20日前应到2026-06。"),
        ("! a/b is late: 2026-06 was due on day 20.", "! a/b迟到:每月20日前应到2026-06。"),
        ("There is no folder 'x: y'.", "没有文件夹'x: y'。"),
        ("The load of a/b broke off: There is no folder 'x'.", "a/b 的载入中断: 没有文件夹'x'。"),
        ("The load of a/b broke off: The load of c broke off: x", "a/b 的载入中断: c 的载入中断: x"),
        ("ftp says: There is no folder 'x'. Nothing else; none", "ftp says: 没有文件夹'x'。 Nothing else; none"),
        ("none", "无"),
        ("The load of none broke off: none", "none 的载入中断: none"),
        ("stopped", "stopped"),
        ("x is late: y was due on day two.", "x is late: y was due on day two."),
        ("", ""),
        ("…", "…"),
    ],
)
def test_what_is_known_is_said_and_the_rest_stays(english: str, chinese: str) -> None:
    assert SMALL.said(english) == chinese


def test_a_word_is_said_in_its_place_only() -> None:
    assert SMALL.word("stopped", "status") == "已停止"
    assert SMALL.word("stopped", "state") == "stopped"


def test_two_readings_that_differ_are_none() -> None:
    template = Template("Row {0} of {1}.", "{1}的第{0}行。")
    assert template.values("Row 1 of a.") == ["1", "a"]
    assert template.values("Row 1 of 2 of 3.") is None
    assert template.values("Row 1 of 2 of 3.", lambda value: value == "2 of 3") == ["1", "2 of 3"]


def test_values_side_by_side_stay_together() -> None:
    template = Template("No {0} is known{1}{2}. See {3}.", "见{3}:没有已知的{0}{1}{2}。")
    assert template.is_whole
    assert template.filled(template.values("No x is known, yet. See y.") or ()) == "见y:没有已知的x, yet。"


def test_braces_are_written_twice() -> None:
    assert catalogue(**{"写{{日}}和{0}": "write {{day}} and {0}"}).said("write {day} and {x}") == "写{日}和{x}"


def test_entries_are_read_as_gettext_has_them(tmp_path: Path) -> None:
    path = tmp_path / "x.po"
    path.write_text(
        '# a note\nmsgid ""\nmsgstr "Language: zh\\n"\n\n#: a.py:1\nmsgid "one "\n"two {0}"\nmsgstr "一"\n"二{0}"\n\n'
        '#, fuzzy\nmsgid "three"\nmsgstr "三"\n\nmsgctxt "state"\nmsgid "four \\"x\\""\nmsgstr "四"\n'
        'msgid "five"\nmsgstr ""\n',
        encoding="utf-8",
    )
    assert [(one.msgid, one.msgstr, one.context, one.line) for one in read(path)] == [
        ("one two {0}", "一二{0}", "", 6),
        ('four "x"', "四", "state", 15),
    ]
    path.write_text('msgwhat "x"\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.po:1: msgwhat"):
        list(read(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_translators_tools_read_the_files(path: Path) -> None:
    with path.open("rb") as file:
        found = read_po(file, abort_invalid=True)
    assert [(one.id, one.string) for one in found if one.id and one.string] == [
        (entry.msgid, entry.msgstr) for entry in read(path)
    ]


def wrong(entry: Entry) -> str | None:
    """What is wrong with a translation; None where it carries over every value, and what is to be typed."""
    numbers, said_numbers = (
        sorted(number for number, _, _ in PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgstr)
    )
    typed, said_typed = (sorted(re.findall(r"`([^`]*)`", text)) for text in (entry.msgid, entry.msgstr))
    if CHINESE.search(entry.msgid):
        # both languages in one text: each of them is chosen with its own values
        return None if set(said_numbers) <= set(numbers) and set(said_typed) <= set(typed) else "more than there is"
    if said_numbers != numbers:
        return "not every value once"
    if not Template(entry.msgid, entry.msgstr).is_whole:
        return "values side by side were parted"
    return None if said_typed == typed else "what is to be typed differs"


def test_translations_carry_over_every_value_and_what_is_to_be_typed() -> None:
    assert len(ENTRIES) > 1000
    assert {f"{entry.file}:{entry.line}": fault for entry in ENTRIES if (fault := wrong(entry))} == {}


@pytest.mark.parametrize(
    ("english", "chinese", "fault"),
    [
        ("{0} of {1}", "{1} 的 {1}", "not every value once"),
        ("{0}{1} of {2}", "{1}的{2}{0}", "values side by side were parted"),
        ("see `x {0}`", "见 `y {0}`", "what is to be typed differs"),
        ("共{0}项 · {1} of them", "共{2}项", "more than there is"),
    ],
)
def test_a_wrong_translation_would_be_found(english: str, chinese: str, fault: str) -> None:
    assert wrong(Entry(english, chinese, "", "t.po", 1)) == fault


ODD = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "{0}", "{}", "%s", "[red]", "a: b", "; ", "1 of 2", "none", "'", '"', "\\", "\n", "(x).", "。"]
    ),
    st.integers().map(str),
)


Value = Callable[[int, str, str], str]


def filled(entry: Entry, value_of: Value) -> tuple[str, list[str]]:
    """The text of *entry* as its place in the source makes it, and those of its values that its translation has."""
    values: list[str] = []

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        value = value_of(len(values), found[2] or "", (found[3] or "")[-1:])
        if f"{{{found[1]}}}" in entry.msgstr:
            values.append(value)
        return value

    return re.sub(r"\{\{|\}\}|" + PLACEHOLDER.pattern, put, entry.msgid), values


def plain(number: int, conversion: str, form: str) -> str:
    return "1,234" if form and form in ",dfge" else f"'x{number}'" if conversion == "!r" else f"x{number}"


def test_every_text_is_recognised_with_its_values() -> None:
    unknown = []
    for language, entry in PLACED:
        english, values = filled(entry, plain)
        said = WHOLE[language].said(english)
        if not all(value in said for value in values) or (CHINESE.search(entry.msgstr) and not CHINESE.search(said)):
            unknown.append((entry.file, entry.line, english, said))
    assert len(PLACED) > 400
    assert unknown == []


@given(data=st.data())
def test_no_value_is_ever_lost(data: st.DataObject) -> None:
    language, entry = data.draw(st.sampled_from(PLACED))
    between = {piece for piece in PLACEHOLDER.sub("\0", entry.msgid).split("\0")[1:-1] if piece}

    def odd(_: int, conversion: str, form: str) -> str:
        if form and form in ",dfge":
            return format(data.draw(st.integers()), ",")
        value = data.draw(ODD)
        # Where a value says what stands between two values, nobody can tell where the one ends.
        assume(not any(piece in value for piece in between))
        return repr(value) if conversion == "!r" else value

    english, values = filled(entry, odd)
    spoken = WHOLE[language]
    said = spoken.said(english)
    for value in values:
        # a value may be a message of its own; a stop at its end is the sentence's
        assert value.rstrip(".") in said or spoken.said(value) in said, (entry, value, said)


@given(st.text())
def test_any_text_can_be_said(text: str) -> None:
    for spoken in [SMALL, *WHOLE.values()]:
        assert isinstance(spoken.said(text), str)


@pytest.mark.parametrize("found", ["a cut off archive", "a workbook with a password", "a binary workbook (.xlsb)"])
def test_a_value_that_is_a_message_is_said_wherever_its_sentence_was_met_before(found: str) -> None:
    spoken = Catalogue.of("zh")
    sentence = f"The file is no Excel workbook that can be read: it is {found}."
    assert spoken._is_known(sentence)  # as a value far inside another message
    assert spoken.said(sentence) == f"文件不是能读取的 Excel 工作簿:它是{spoken.said(found)}。"
    assert found not in spoken.said(sentence)
