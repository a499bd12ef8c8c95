select
    release_id,
    kind,
    undoes_release_id,
    as_of,
    released_at,
    cells_inserted,
    cells_changed,
    cells_removed,
    note
from {{ source('ops', 'release') }}
