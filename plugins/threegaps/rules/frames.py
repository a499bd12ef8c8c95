"""The frames that Great Expectations judges, one for each scope of rules."""

from __future__ import annotations

FRAMES = {
    "row": "the feed's rows. `<column>` holds typed values (texts and days as objects, numbers as floats), missing"
    " where a text is no value of its type; `<column>@text` holds the text after the declared normalisations.",
    "line": "the lines of a delivery before they have columns: how many `fields` each has, how many its header has"
    " (`declared_fields`), and how many things of it could not be had (`faults`).",
    "key": "the rows that no rule on rows refuses, in the order in which they are read, typed. `@sending` says which of"
    " them came in one sending (all original parts of a delivery are one, each correction and each window of changes is"
    " its own); `@version` is the update time in microseconds, the correction number or the list's date.",
    "batch": "one row of counters: `received`, `refused`, `duplicates`, `previous_received` (missing where nothing is"
    " comparable), `changed_columns`.",
}
"""What each scope's frame holds, for the catalogue."""

FIELDS, DECLARED_FIELDS, FAULTS = "fields", "declared_fields", "faults"
SENDING, VERSION = "@sending", "@version"
RECEIVED, REFUSED, DUPLICATES = "received", "refused", "duplicates"
PREVIOUS_RECEIVED, CHANGED_COLUMNS = "previous_received", "changed_columns"

LINE_COLUMNS = {
    FIELDS: ("行内字段数", "number of fields of the line"),
    DECLARED_FIELDS: ("表头字段数", "number of fields of its header"),
    FAULTS: ("无法读取的内容数", "how many things of the line could not be had"),
}
PASSED_COLUMNS = {
    SENDING: ("发送批", "the sending that the row came in, by number"),
    VERSION: ("版本", "update time in epoch microseconds, correction number, or the list's date"),
}
BATCH_COLUMNS = {
    RECEIVED: ("收到行数", "rows received"),
    REFUSED: ("拒收行数", "rows refused"),
    DUPLICATES: ("重复行数", "rows that say the same again"),
    PREVIOUS_RECEIVED: ("上期收到行数", "rows received in the period before; missing where nothing is comparable"),
    CHANGED_COLUMNS: ("变动列数", "columns that came or went under the same version of the contract"),
}
