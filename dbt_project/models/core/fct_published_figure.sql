select
    area_code,
    as_of,
    as_of_printed,
    item,
    value,
    value_bound,
    is_conflicting,
    definition_note,
    source_url
from {{ ref('stg_statistics__employment_population') }}
