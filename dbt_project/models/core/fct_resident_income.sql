select
    area_code,
    period_start,
    period_end,
    income_all_cny,
    income_urban_cny,
    income_rural_cny,
    growth_all_pct,
    growth_urban_pct,
    growth_rural_pct,
    urban_rural_ratio_printed,
    definition,
    basis,
    source_url
from {{ ref('stg_statistics__resident_income') }}
