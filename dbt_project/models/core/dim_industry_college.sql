select
    college_id,
    kind,
    host_uscc,
    school_code,
    county_code,
    valid_from,
    valid_until
from {{ ref('stg_industry__colleges') }}
