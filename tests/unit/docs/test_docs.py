"""The documents say what is so: commands, files, links, excerpts and layers."""

from __future__ import annotations

import csv
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from threegaps.calendar import Delivery
from threegaps.cli.app import app
from threegaps.contracts.loader import load_contracts
from threegaps.settings import Settings

ROOT = Settings.load().root
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])
READ = {page: page.read_text(encoding="utf-8") for page in PAGES}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands_in(text: str) -> list[list[str]]:
    """Every `threegaps ...` of a page, in code blocks and between backticks, as words."""
    lines = [line for block in re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text)
    found = []
    for line in lines:
        words = re.search(r"(?:^|\s|\()(threegaps(?: [^#|;&]+)?)$", line.split("  #")[0].strip())
        if words:
            found.append(shlex.split(words.group(1)))
    return [words for words in found if len(words) > 1]


def all_commands() -> list[tuple[str, list[str]]]:
    return [(name_of(page), words) for page, text in READ.items() for words in commands_in(text)]


@cache
def command_line() -> Any:
    return typer.main.get_command(app)


@pytest.mark.parametrize(
    ("page", "words"), all_commands(), ids=lambda value: value if isinstance(value, str) else "_".join(value)
)
def test_every_command_exists_with_its_options(
    page: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsed by the command line itself, without being run."""
    command: Any = command_line()
    context = command.make_context("threegaps", [], resilient_parsing=True)
    rest = words[1:]
    if rest[0] == "--home":
        rest = rest[2:]
    while hasattr(command, "commands"):
        if command.invoke_without_command and (not rest or rest[0].startswith("-")):
            break
        assert rest, f"{page}: {' '.join(words)} is no whole command"
        if rest[0] in {"--help", "-h"}:
            return
        if rest[0].startswith("-") and command.invoke_without_command:
            break
        assert rest[0] in command.commands, f"{page}: there is no command {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    if not rest:
        return  # only named, not shown
    if any(word.isupper() for word in rest):
        rest = ["1" if word.isupper() and not word.startswith("-") else word for word in rest]
    # The files of the page are there when its reader says so.
    monkeypatch.chdir(tmp_path)
    for word in rest:
        if word.endswith((".xlsx", ".csv.gz", ".odcs.yaml")):
            assert not Path(word).is_absolute(), f"{page}: a reader's own file stands where the reader is: {word}"
            Path(word).touch()
    command.make_context(command.name, rest, parent=context)


def test_pages_speak_of_commands() -> None:
    assert len(all_commands()) > 20


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    pattern = re.compile(r"`make ([a-z-]+)`|^make ([a-z-]+)", re.MULTILINE)
    named = {target for text in READ.values() for target in pattern.findall(text)}
    assert {target for pair in named for target in pair if target} <= targets


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    said = set(re.findall(r'<a id="([\w-]+)"></a>', text))
    return said | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    # A pattern in code may look like a link; the text of a link may be code.
    prose = re.sub(r"(?<!\[)`[^`\n]+`", "", READ[page])
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        is_there = file.exists()
        if is_there and anchor and file.suffix == ".md":
            is_there = anchor in anchors(file.read_text(encoding="utf-8"))
        if not is_there:
            lost.append(target)
    assert not lost


def excerpts() -> list[tuple[str, str, str]]:
    return [
        (name_of(page), source, block)
        for page, text in READ.items()
        for source, block in re.findall(r"<!-- from: (\S+) -->\n```\w*\n(.*?)```", text, re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "source", "block"), excerpts(), ids=lambda value: str(value)[:40])
def test_excerpts_are_what_the_files_say(page: str, source: str, block: str) -> None:
    assert block in (ROOT / source).read_text(encoding="utf-8"), f"{page}: the excerpt is not in {source}"


def test_the_definitions_are_of_built_indicators() -> None:
    with (ROOT / "dbt_project" / "seeds" / "seed_indicator.csv").open(encoding="utf-8", newline="") as file:
        built = {row["indicator_code"] for row in csv.DictReader(file) if row["is_built"].lower() == "true"}
    defined = set(re.findall(r"^\| ([A-Z]\w*-\d+[a-z]?) \|", READ[ROOT / "docs" / "indicators.md"], re.MULTILINE))
    assert len(defined) >= 20
    assert defined <= built


def test_the_plan_is_called_a_draft_wherever_it_is_named() -> None:
    for page in ("README.md", "README.zh.md"):
        text = READ[ROOT / page]
        assert "征求意见稿" in text
        assert re.search("final version|正式版本", text)


def test_the_readmes_say_the_same_commands() -> None:
    blocks = [re.findall(r"^make \w+", READ[ROOT / page], re.MULTILINE) for page in ("README.md", "README.zh.md")]
    assert blocks[0] == blocks[1] == ["make run"]


def test_the_readmes_link_the_same_documents_in_their_text_and_in_their_table() -> None:
    def links(page: str) -> list[set[str]]:
        found: list[set[str]] = [set(), set()]
        for line in READ[ROOT / page].splitlines():
            named = re.findall(r"\]\(((?:docs/)?[\w-]+(?:\.zh)?\.md(?:#[\w-]+)?)\)", line)
            # a page in Chinese stands for the one in English
            found[line.startswith("|")] |= {target.replace(".zh.md", ".md") for target in named}
        return [found[0] - {"README.md"}, found[1]]

    assert links("README.md") == links("README.zh.md")
    assert links("README.md")[1] == {
        name_of(page)
        for page in PAGES
        if (page.parent == ROOT / "docs" and not page.name.endswith(".zh.md")) or page.name == "CONTRIBUTING.md"
    }


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_sample_of_a_first_run_shows_feeds_that_there_are_with_counts_that_add_up(page: str) -> None:
    # Not each of them: a new feed touches no page but what is generated.
    sample = READ[ROOT / page].partition("<!-- sample: begin -->")[2].partition("<!-- sample: end -->")[0]
    rows = re.findall(r"^(\w+/\w+) +(\S+) +(\d[\d, ]*?) +\S*[^\d\s,]\S*", sample, re.MULTILINE)
    contracts = {contract.feed: contract for contract in load_contracts(ROOT / "expectations")}
    shown = [feed for feed, _, _ in rows]
    assert shown
    assert shown == sorted(set(shown) & set(contracts))
    for feed, last, counts in rows:
        assert Delivery.parse(contracts[feed].cadence, last).key == last
        batches, received, accepted, refused, duplicates = (int(word.replace(",", "")) for word in counts.split())
        assert batches
        assert received == accepted + refused + duplicates, feed


def test_the_picture_is_readable_in_light_and_dark() -> None:
    from xml.etree import ElementTree

    picture = ROOT / "docs" / "pictures" / "flow.svg"
    text = picture.read_text(encoding="utf-8")
    ElementTree.fromstring(text)  # noqa: S314  # our own file
    assert "prefers-color-scheme: dark" in text
    assert "<title" in text
    assert "<desc" in text


def test_pictures_are_shown_and_small() -> None:
    for picture in (ROOT / "docs" / "pictures").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
        assert [page for page, text in READ.items() if f"pictures/{picture.name})" in text], picture.name


def test_the_layers_in_the_docs_are_those_that_are_enforced() -> None:
    from tests.unit.house.test_layers import LAYERS

    rows = re.findall(r"^\| \d+ \| (.+?) \|", READ[ROOT / "docs" / "architecture.md"], re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == [set(layer) for layer in LAYERS]


@pytest.mark.parametrize("page", ["runbook.md", "runbook.zh.md"])
def test_the_runbook_has_a_section_for_each_kind_of_incident(page: str) -> None:
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.watch.kinds import command, runbook

    known = anchors(READ[ROOT / "docs" / page])
    for kind in INCIDENT_KINDS:
        path, _, anchor = runbook(kind).partition("#")
        assert (path, anchor in known) == ("docs/runbook.md", True), f"{page}: {anchor}"
        assert [*commands_in(f"`{command(kind, None)}`")]


# Set by the supervisor for those that it starts, and read by none else.
OUR_OWN_MARKS = {"THREEGAPS_SERVICE"}


def variables_read() -> set[str]:
    """The variables that the code names, in the package, the sandbox and dbt's project."""
    files = [
        *(ROOT / "plugins").rglob("*.py"),
        *(ROOT / "sandbox").rglob("*.py"),
        *(ROOT / "dbt_project").glob("*.yml"),
    ]
    return {
        name
        for path in files
        for name in re.findall(r"\bTHREEGAPS(?:_[A-Z]+)+\b(?!_)", path.read_text(encoding="utf-8"))
    } - OUR_OWN_MARKS


def test_every_variable_that_is_read_is_documented_in_both_languages() -> None:
    read = variables_read()
    assert {"THREEGAPS_HOME", "THREEGAPS_LEAST_FREE_MB", "THREEGAPS_SANDBOX_SEED"} <= read
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for page in ("server.md", "server.zh.md"):
        said = set(re.findall(r"\bTHREEGAPS(?:_[A-Z]+)+", READ[ROOT / "docs" / page] + example))
        assert read <= said, page


# What PostgreSQL tells a reader's tool, which no language of ours changes, and what only a task's log says.
OTHERS_WORDS = {
    "password authentication failed",
    "too many connections for role",
    "canceling statement due to statement timeout",
    "terminating connection due to idle-in-transaction timeout",
    "permission denied",
    "were changed by those who use them",
}


def quoted(text: str) -> list[str]:
    """What a page quotes: its words in italics, outside code."""
    prose = re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL)).replace("**", "")
    return [" ".join(one.split()) for one in re.findall(r"\*([^*]+?)\*", prose)]


def printed(language: str) -> list[str]:
    """What the program may print in *language*: the catalogue, labels, and texts that carry both languages."""
    import ast

    from threegaps import labels
    from threegaps.translations.catalogue import FOLDER, PLACEHOLDER, read

    entries = [entry for path in sorted((FOLDER / "zh").glob("*.po")) for entry in read(path)]
    texts = [entry.msgstr if language == "zh" else entry.msgid for entry in entries]
    kinds = [kind for name, kind in vars(labels).items() if name.isupper() and not name.startswith("OF_")]
    texts += [pair[0 if language == "zh" else 1] for kind in kinds for pair in kind.values()]
    for path in sorted((ROOT / "plugins" / "threegaps").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return [PLACEHOLDER.sub("", text).lower() for text in texts]


def is_printed(quote: str, texts: list[str]) -> bool:
    """Whether one of *texts* has the pieces of *quote* in their order; a number or … stands for any value."""
    pieces = [piece.strip() for piece in re.split(r"…|\d+", quote.lower()) if piece.strip()]
    return any(re.search(".*".join(map(re.escape, pieces)), text, re.DOTALL) for text in texts)


@pytest.mark.parametrize(("page", "language"), [("runbook.md", "en"), ("runbook.zh.md", "zh")])
def test_the_runbook_quotes_what_is_printed(page: str, language: str) -> None:
    texts = printed(language)
    quotes = set(quoted(READ[ROOT / "docs" / page]))
    assert len(quotes) > 35
    assert {quote for quote in quotes - OTHERS_WORDS if not is_printed(quote, texts)} == set()
    if language == "zh":
        assert {quote for quote in quotes - OTHERS_WORDS if not re.search("[一-鿿]|^errcode", quote)} == set()


def test_a_quotation_that_is_not_printed_is_found() -> None:
    texts = printed("en")
    assert not is_printed("nothing there for the delivery", texts)
    assert is_printed("more than 5 MiB", texts)
    assert not is_printed(
        "no answer in time", [PLACE.lower() for PLACE in printed("zh") if re.search("[一-鿿]", PLACE)]
    )
    assert quoted("say *this one* and `not *that*`, **nor** this") == ["this one"]
