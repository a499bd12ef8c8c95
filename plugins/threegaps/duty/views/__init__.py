"""The pages: each module reads what its page shows and names the template that shows it."""

from threegaps.duty.views import counties, delivery, feed, feeds, now, refused, release, runbook

ROUTERS = tuple(page.router for page in (now, feeds, feed, delivery, refused, counties, release, runbook))

__all__ = ["ROUTERS"]
