"""What lists of releases and builds ask, in SQL: for the command line and for pages."""

from __future__ import annotations

RELEASES = """
select release_id, kind, as_of, released_at, cells_inserted, cells_changed, cells_removed, undoes_release_id, note,
       is_demonstration, release_id = (select release_id from ops.current_release) as serves
from ops.release order by release_id desc limit %(limit)s
"""
LAST_BUILD = """
select build_id, case failure when 'undo' then 'undone' when 'check' then 'held' else status end as status, kind, as_of,
       requested_by, started_at, finished_at, message
from ops.build order by build_id desc limit 1
"""
