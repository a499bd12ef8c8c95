"""The pages: each module reads what its page shows and names the template that shows it."""

from threegaps.duty.views import counties, delivery, feed, feeds, now, refused, runbook

ROUTERS = (now.router, feeds.router, feed.router, delivery.router, refused.router, counties.router, runbook.router)

__all__ = ["ROUTERS"]
