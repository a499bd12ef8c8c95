select
    forecast_id,
    {{ area_code('area_code') }} as forecast_area_code,
    scope,
    published_on
from {{ ref('stg_hrss__demand_forecasts') }}
