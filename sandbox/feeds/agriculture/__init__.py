"""Feeds of the agriculture department (省农业农村厅)."""
