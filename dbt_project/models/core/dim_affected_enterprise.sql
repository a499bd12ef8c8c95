select
    entry_id,
    uscc,
    valid_from,
    valid_until
from {{ ref('stg_industry__affected_enterprises') }}
-- who has no code cannot be matched with an employer
where uscc is not null
