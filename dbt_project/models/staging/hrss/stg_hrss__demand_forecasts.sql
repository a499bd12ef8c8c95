-- Written by `make docs` from expectations/hrss/demand_forecasts.odcs.yaml.
select
    forecast_id,
    area_code,
    scope,
    published_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_demand_forecasts') }}
where not _withdrawn
