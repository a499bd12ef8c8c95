"""Where the lines of a batch stand that are no rows, and why they are none: titles, totals, notes, blanks.

Positions and reasons only, never what stands there.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.structural_line (
    batch_id bigint not null references ops.batch,
    landed_object_id bigint not null references ops.landed_object,
    sheet integer,
    line bigint not null,
    reason text not null
);
create index structural_line_by_batch on ops.structural_line (batch_id);
comment on table ops.structural_line is
    'Lines of a batch that are no rows, as many as the contract''s limit allows: where they stand, and why.';
comment on column ops.structural_line.sheet is 'The sheet''s position in its workbook, from 1; empty elsewhere.';
comment on column ops.structural_line.line is
    'The line of the file, the row of the sheet, or the page of the answers, from 1.';
"""


def upgrade() -> None:
    """Make the table; batches of before have only their counts by reason."""
    op.execute(_TABLE)
