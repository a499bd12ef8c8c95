select
    directory_id,
    directory_kind,
    area_code,
    entry_code,
    occupation_code,
    provider_uscc,
    valid_from,
    valid_until,
    revised_on
from {{ ref('stg_hrss__training_directories') }}
