with

breakdowns as (
    select * from {{ ref('seed_breakdown') }}
),

parts as (
    select * from {{ ref('seed_breakdown_value') }}
)

select
    parts.breakdown,
    breakdowns.name_zh as breakdown_name_zh,
    breakdowns.name_en as breakdown_name_en,
    parts.breakdown_value,
    parts.name_zh,
    parts.name_en,
    parts.sort_order,
    breakdowns.is_overlapping as parts_overlap,
    breakdowns.parts_add_up,
    breakdowns.note_zh,
    breakdowns.note_en
from parts
inner join breakdowns
    on parts.breakdown = breakdowns.breakdown
