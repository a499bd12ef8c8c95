"""Feeds of the department of industry (省经信厅)."""
