"""Feeds of the trade unions (省总工会)."""
