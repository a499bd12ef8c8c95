"""A department's own check of a file before it sends it: the pipeline's rules, without warehouse, Airflow or key."""

from threegaps.file_check.checking import check_files
from threegaps.file_check.findings import FileFindings, Finding

__all__ = ["FileFindings", "Finding", "check_files"]
