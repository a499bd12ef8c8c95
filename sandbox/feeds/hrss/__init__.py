"""Feeds of the human resources department (省人力社保厅)."""
