"""What a contract may combine: ways to reach each kind of delivery, and what comes by them.

Each way has its source. Plain names only, so that a contract can be checked where no source is imported.
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOLS_BY_KIND: Mapping[str, tuple[str, ...]] = {
    "changes": ("http", "database"),
    "full_list": ("sftp", "file_drop", "http", "database"),
    "full_period": ("sftp", "file_drop"),
}
"""How each kind of delivery can be reached: changes by inquiry, full periods in files, full lists by both."""

FORMATS_BY_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "http": ("json_pages",),
    "database": ("csv",),
    "sftp": ("csv", "xlsx"),
    "file_drop": ("csv", "xlsx"),
}
"""What can come by each protocol; a database's rows are landed as CSV."""

_BY_FILES = ("control_file", "file", "quiet")

COMPLETENESS_BY_WAY: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("changes", "http"): ("window",),
    ("changes", "database"): ("window",),
    ("full_list", "http"): ("whole_read",),
    ("full_list", "database"): ("whole_read",),
    ("full_list", "sftp"): _BY_FILES,
    ("full_list", "file_drop"): _BY_FILES,
    ("full_period", "sftp"): _BY_FILES,
    ("full_period", "file_drop"): _BY_FILES,
}
"""By what a kind of delivery that comes by a protocol can be known to be complete."""
