{{ indicator_config() }}

with

stock as (
    select * from {{ ref('int_apprentice_stock') }}
),

members as (
    {{ slice_members() }}
),

placed as (
    {{ in_members('stock', county='work_area_code', match=['period_end']) }}
),

-- whoever is an apprentice twice is one in an area, by what began last
ranked as (
    select
        area_code,
        period_type,
        period_end,
        target_level_rank,
        row_number() over (
            partition by area_code, period_type, period_end, person_id
            order by start_date desc, apprenticeship_id collate "C" desc
        ) as apprenticeship_rank
    from placed
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where target_level_rank >= 3) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from ranked
    where apprenticeship_rank = 1
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
