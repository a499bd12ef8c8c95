"""What runs once, in processes of its own, while the services start: the ledger's schema and the synthetic province."""

from __future__ import annotations

import sys

from threegaps.one_machine import departments
from threegaps.one_machine.ended_series import pause_ended_series
from threegaps.settings import Settings
from threegaps.standards import visible


def upgrade_ledger(settings: Settings) -> None:
    """Bring the warehouse's ledger to the newest schema, and enter what every feed owes, or does not.

    The duty page gets its login, where there is a password for it.
    """
    from threegaps.access.logins import keep_duty
    from threegaps.feed_run.expected import enter_expected
    from threegaps.ledger.migrate import upgrade

    upgrade(settings.warehouse_dsn())
    if settings.duty_password is None:
        visible.say(
            "The duty page has no login of its own: THREEGAPS_DUTY_PASSWORD is not set.",
            is_error=True,
        )
    else:
        keep_duty(settings.warehouse_dsn(), settings.duty_password)
    enter_expected(settings)
    if settings.is_sandbox:
        pause_ended_series(settings)


def main() -> int:
    """Run the one step that is named."""
    settings = Settings.load()
    step = sys.argv[1]
    if step == "ledger":
        upgrade_ledger(settings)
    elif step == "sandbox":
        departments.make(settings)
    else:
        visible.say(f"unknown step {step!r}", is_error=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
