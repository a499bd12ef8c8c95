-- Written by `make docs` from expectations/hrss/guide_channels.odcs.yaml.
select
    channel_id,
    county_code,
    channel_kind,
    live_from,
    live_to,
    url,
    _batch_id
from {{ source('raw_hrss', 'hrss_guide_channels') }}
where not _withdrawn
