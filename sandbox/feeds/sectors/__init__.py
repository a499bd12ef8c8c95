"""Feeds of the sectors (省建设厅 and six more)."""
