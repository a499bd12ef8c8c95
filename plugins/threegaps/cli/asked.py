"""What a command is asked about must be known: a mistyped value must not read as "none"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threegaps.settings import Settings
from threegaps.standards.nearest import did_you_mean

if TYPE_CHECKING:
    from threegaps.contracts.model import Contract


def knowing(feed: str | None) -> Settings:
    """The settings, once *feed* is known to have a contract: a mistyped name must not read as "none"."""
    settings = Settings.load()
    if feed is not None:
        contracts_of(settings, feed)
    return settings


def contracts_of(settings: Settings, feed: str | None) -> tuple[Contract, ...]:
    """The contracts that are spoken of: that of *feed*, or all."""
    from threegaps.contracts.loader import find_contract, load_contracts

    folder = settings.contracts_folder
    return load_contracts(folder) if feed is None else (find_contract(folder, feed),)


def contracts_of_department(settings: Settings, department: str) -> tuple[Contract, ...]:
    """The contracts of a department's feeds."""
    from threegaps.contracts.loader import load_contracts
    from threegaps.errors import SettingsError

    every = load_contracts(settings.contracts_folder)
    found = tuple(contract for contract in every if contract.department == department)
    if not found:
        known = sorted({contract.department for contract in every})
        raise SettingsError(
            f"There is no department {department!r}.",
            advice=did_you_mean(department, known, otherwise=f"one of {', '.join(known)}."),
        )
    return found


def check_county(code: str | None) -> None:
    """Refuse what is no code of a county, and not the mark of rows whose county is not known."""
    from threegaps.errors import SettingsError
    from threegaps.ledger.touches import UNKNOWN_COUNTY
    from threegaps.standards.areas import codes_in_force

    known = (*codes_in_force(("county", "city", "province")), UNKNOWN_COUNTY)
    if code is not None and code not in known:
        raise SettingsError(
            f"{code!r} is no code of a county or a city.",
            advice=did_you_mean(code, known, otherwise="write six digits."),
        )


def check_status(status: str | None) -> None:
    """Refuse a status that no batch can have."""
    from threegaps.errors import SettingsError
    from threegaps.ledger.batches import BATCH_STATUSES

    if status is not None and status not in BATCH_STATUSES:
        raise SettingsError(
            f"{status!r} is no status of a batch.",
            advice=did_you_mean(status, BATCH_STATUSES, otherwise=f"one of {', '.join(BATCH_STATUSES)}."),
        )


def check_delivery(settings: Settings, delivery: str | None, feed: str | None) -> None:
    """Refuse what is no delivery of *feed*, or of any; of a former cadence only those count that have refused rows."""
    from threegaps.calendar import CADENCES, EXAMPLES, Delivery
    from threegaps.cli import queries
    from threegaps.errors import SettingsError

    if delivery is None:
        return
    cadences = {contract.cadence for contract in contracts_of(settings, feed)}
    examples = ", ".join(EXAMPLES[cadence] for cadence in CADENCES if cadence in cadences)
    refusal = SettingsError(f"{delivery!r} is not a delivery of any feed.", advice=f"write it like one of {examples}.")
    for cadence in cadences:
        try:
            Delivery.parse(cadence, delivery)
        except SettingsError as error:
            refusal = error if len(cadences) == 1 else refusal
            continue
        return
    if not queries.ask(settings, queries.REFUSED_BY_RULE, {"feed": feed, "delivery": delivery}):
        raise refusal


def check_rule(settings: Settings, rule: str | None, feed: str | None) -> None:
    """Refuse a rule that neither refuses rows by the contract nor, by an earlier version of it, has refused any."""
    from threegaps.cli import queries
    from threegaps.errors import ContractError

    if rule is None:
        return
    contracts = contracts_of(settings, feed)
    known = {rule.rule for contract in contracts for rule in contract.rules if rule.action == "refuse"}
    if rule in known:
        return
    known |= {
        str(row["rule"]) for row in queries.ask(settings, queries.REFUSED_BY_RULE, {"feed": feed, "delivery": None})
    }
    if rule not in known:
        raise ContractError(
            f"There is no rule {rule!r} that refuses rows.",
            feed=feed,
            advice=did_you_mean(
                rule,
                known,
                otherwise=f"one of {', '.join(sorted(known))}."
                if feed
                else "`threegaps quarantine rules` lists those that have.",
            ),
        )


def check_batch(settings: Settings, batch: int | None, *feeds: str | None) -> None:
    """Refuse a number that no batch has, or one of a feed that is not among *feeds*."""
    from threegaps.cli import queries
    from threegaps.errors import LedgerError
    from threegaps.ledger.batches import get_batch

    if batch is None:
        return
    with queries.connect(settings) as connection:
        found = get_batch(connection, batch)
    wanted = [feed for feed in feeds if feed is not None]
    if wanted and found.feed not in wanted:
        raise LedgerError(
            f"Batch {batch} is one of {found.feed}.",
            feed=wanted[0],
            advice=f"see `threegaps batches --feed {wanted[0]}`.",
        )
