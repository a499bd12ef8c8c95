"""Great Expectations' own Data Docs of a judged batch.

Its pages quote the values that a rule found unexpected; here row tokens stand in their place, so that nothing which was
received is in them. The context is ephemeral: what is kept is the folder.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from threegaps.batch.certify import Certifier
from threegaps.batch.closed_pages import close_pages
from threegaps.batch.frames import JudgedFrame
from threegaps.contracts.model import Contract
from threegaps.errors import CertificationError

MOST_TOKENS = 20
"""Rows that a page names for a rule; quarantine has all that were refused."""

_SITE = "batch"
_NAMES = {"row": "rows", "line": "lines", "key": "keys", "batch": "batch"}


def write_data_docs(contract: Contract, run_name: str, judged: Sequence[JudgedFrame], folder: Path) -> Path:
    """Run the frames' suites and write the site to *folder*; its first page.

    Args:
        contract: The feed's contract.
        run_name: What the pages call the run.
        judged: The frames, in the order of the pages.
        folder: An empty or new folder; only its owner may read what is written.

    Raises:
        CertificationError: Great Expectations raised an exception, or left a page out.
    """
    Certifier.prepare()
    import great_expectations as gx
    from great_expectations.core import RunIdentifier
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.get_site_names()):
        context.delete_data_docs_site(site)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.absolute())},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    written_at = dt.datetime.now(dt.UTC)
    certifier, run = Certifier(contract), RunIdentifier(run_name=run_name, run_time=written_at)
    names: list[str] = []
    for frame in judged:
        if not frame.rules or not frame.frame.height:
            continue
        suite = certifier.suite(f"{contract.table}_{_NAMES[frame.rules[0].kind.scope]}", frame.rules)
        context.suites.add(suite)
        names.append(suite.name)
        answer = certifier.validate(suite, frame.frame)
        for result in answer.results:
            result.result = _masked(result.result, frame.tokens)
        answer.meta = {"great_expectations_version": gx.__version__, "run_id": run}
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(suite.name), run, contract.name)
        context.validation_results_store.set(key, answer)
    context.build_data_docs()
    pages = sorted(
        folder.glob("validations/**/*.html"), key=lambda page: names.index(page.relative_to(folder).parts[1])
    )
    # The site's builder logs what goes wrong with a page and goes on.
    if len(pages) != len(names):
        raise CertificationError("Great Expectations left pages out.", feed=contract.feed)
    titles = {page.relative_to(folder).as_posix(): f"{page.relative_to(folder).parts[1]}: {run_name}" for page in pages}
    close_pages(folder, titles, written_at=written_at)
    return folder / "index.html"


def _masked(result: Mapping[str, Any], tokens: pl.Series | None) -> dict[str, Any]:
    """Counts as they are, and the tokens of the first rows in place of their values."""
    kept = {name: value for name, value in result.items() if name.endswith(("_count", "_percent", "_nonmissing"))}
    indexes = result.get("unexpected_index_list") or []
    if tokens is not None and indexes:
        kept["partial_unexpected_list"] = [f"row {tokens[int(index)]}" for index in indexes[:MOST_TOKENS]]
    return kept
