-- Written by `make docs` from expectations/statistics/resident_income.odcs.yaml.
select
    area_code,
    area_name,
    period_label,
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
    source_url,
    _batch_id
from {{ source('raw_statistics', 'statistics_resident_income') }}
where not _withdrawn
