"""Feeds of the education department (省教育厅)."""
