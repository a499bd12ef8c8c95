"""Feeds of the finance department (省财政厅)."""
