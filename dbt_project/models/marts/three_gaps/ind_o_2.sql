{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices() }}
),

completers as (
    select
        exits.*,
        case when exits.was_employed_at_entry then 'yes' else 'no' end as employed_at_entry
    from exits
    where exits.exit_kind = 'any'
),

cohort as (
    {{ in_slices('completers', area='residence_area_code', match=['period_type', 'period_end']) }}
),

broken_down as (
    {{ total_and_by('cohort', 'employed_at_entry') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_employed_in_quarter_4) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
