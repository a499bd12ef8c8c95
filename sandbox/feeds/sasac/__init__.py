"""Feeds of the supervisors of state-owned enterprises (省国资委)."""
