select
    uscc,
    county_code,
    cluster,
    is_chain_leader,
    valid_from,
    valid_until
from {{ ref('stg_industry__enterprises') }}
