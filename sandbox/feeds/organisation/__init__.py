"""Feeds of the organisation department (省委组织部)."""
