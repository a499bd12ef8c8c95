-- Written by `make docs` from expectations/hrss/special_ability_items.odcs.yaml.
select
    item_code,
    item_name,
    county_code,
    valid_from,
    valid_to,
    _batch_id
from {{ source('raw_hrss', 'hrss_special_ability_items') }}
where not _withdrawn
