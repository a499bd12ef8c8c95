-- Written by `make docs` from expectations/hrss/training_directories.odcs.yaml.
select
    directory_id,
    directory_kind,
    area_code,
    entry_code,
    occupation_code,
    provider_uscc,
    valid_from,
    valid_until,
    revised_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_training_directories') }}
where not _withdrawn
