select
    indicator_code,
    area_code,
    period_type,
    period_end,
    breakdown,
    breakdown_value,
    reported_value,
    reported_bound,
    reported_on,
    note_zh,
    note_en,
    source,
    source_url
from {{ ref('seed_reported_figure') }}
