"""What a contract's rules say of one delivery: how late an update time in it may be."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.rules.kinds.update_time_reach import UpdateTimeReach

FUTURE_DAYS = 1
"""How far an update time may lie behind the end of its delivery: the department's clock may run ahead, or its window
end a little later than asked. A later one is a slip, and would shadow every correction to come."""


def at_delivery(contract: Contract, delivery: str) -> Contract:
    """The contract with the rules on update times closed at the end of a delivery."""
    if contract.watermark is None:
        return contract
    end = Delivery.of_key(delivery).next().start + dt.timedelta(days=FUTURE_DAYS)
    rules = tuple(
        replace(rule, arguments=rule.arguments.model_copy(update={"max_value": f"{end} 00:00:00"}))
        if isinstance(rule.arguments, UpdateTimeReach) and rule.arguments.max_value is None
        else rule
        for rule in contract.rules
    )
    return replace(contract, rules=rules)
