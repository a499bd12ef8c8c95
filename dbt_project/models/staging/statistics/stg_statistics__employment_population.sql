-- Written by `make docs` from expectations/statistics/employment_population.odcs.yaml.
select
    area_code,
    area_name,
    as_of,
    as_of_printed,
    item,
    value,
    value_bound,
    unit,
    is_conflicting,
    definition_note,
    source_url,
    _batch_id
from {{ source('raw_statistics', 'statistics_employment_population') }}
where not _withdrawn
