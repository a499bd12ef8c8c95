select
    uscc,
    county_code,
    is_chain_leader,
    valid_from,
    valid_until
from {{ ref('stg_industry__enterprises') }}
