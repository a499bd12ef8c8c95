"""What is said to people is found in the source, and nothing that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from threegaps.translations.missing import missing
from threegaps.translations.texts import ONLY_RAISED, in_source, spoken


@pytest.mark.parametrize(
    ("source", "templates"),
    [
        ('raise FeedError("No file.", advice=f"see `x {y}`.")', ["No file.", "see `x {0}`."]),
        ('raise FeedError(f"{a:,} of {b!r}: {c:.1f} {d:%Y}")', ["{0:,} of {1!r}: {2:.1f} {3}"]),
        ('raise FeedError("gone" if x else f"left {y}")', ["gone", "left {0}"]),
        ('console.print(f"{n} rows{f", of {m} sheets" if m else ""}")', ["{0} rows{1}", ", of {0} sheets"]),
        ('console.rule("Where to look", style="bold red")', ["Where to look"]),
        ('x = "the disk is full"', ["the disk is full"]),
        ('x = "{} rows are left".format(n)', ["{0} rows are left"]),
        ('x = "write down {day} there"', ["write down {{day}} there"]),
        ('def f():\n    """A document of the code."""\n    return 1', []),
        ('def f(json_):\n    """A command\\n    of ours.\n\n    And more."""', ["A command of ours.", "And more."]),
        ('x = typer.Option("--x", help="Only this feed.")', ["Only this feed."]),
        ('log.info("nothing new for %s", feed)', []),
        ('log.warning("nothing new here")', []),
        ('x = ("缺少工资", "the wage is missing")', []),
        ('f(message_zh="缺少工资", message_en="the wage is missing")', []),
        ('x = "select a from b"', []),
        ('x = f"coalesce(b.a, {c}) is not null"', []),
        ('if x == "no such thing": pass', []),
        ('x = rows["no such thing"]', []),
        ('re.compile("some words here")', []),
        ('x = "one"', []),
        ('x = f"http://{host}:{port}"', []),
    ],
)
def test_what_is_said_is_found(source: str, templates: list[str]) -> None:
    if 'f", of' in source:
        source = source.replace('f", of {m} sheets"', "f', of {m} sheets'").replace('""', "''")
    assert [text.template for text in in_source(source, "x.py")] == templates


def test_a_text_has_its_place_and_its_values() -> None:
    (text,) = in_source('\n\nraise FeedError(f"{contract.feed} sends {len(rows)} rows")', "sources/x.py")
    assert (text.file, text.line, text.values) == ("sources/x.py", 3, ("contract.feed", "len(rows)"))


def test_of_pages_only_what_they_raise_is_said(tmp_path: Path) -> None:
    name = "watch/pages.py"
    assert name in ONLY_RAISED
    page = tmp_path / name
    page.parent.mkdir(parents=True)
    page.write_text('x = "one of many words"\nraise SettingsError("This is no page.")\n', encoding="utf-8")
    (tmp_path / "labels.py").write_text('x = "one of many words"\n', encoding="utf-8")
    (tmp_path / "other.py").write_text('x = "one of many words"\n', encoding="utf-8")
    found = {(text.file, text.template) for text in spoken(tmp_path)}
    assert found == {(name, "This is no page."), ("other.py", "one of many words")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_text_is_said_in_this_language_too(language: str) -> None:
    """Whoever adds a message adds its Chinese; `python -m threegaps.translations zh` prints the entries to fill in."""
    without = [f"{text.file}:{text.line}: {text.template}" for text in missing(language)]
    assert without == []
