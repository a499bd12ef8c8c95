{{ indicator_config() }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

-- with one for special ability only and one for none, so that the shares add up to 100
levels as (
    select breakdown_value as skill_level
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'highest_level'
),

slices as (
    {{ affected_slices() }}
),

counts as (
    {{ in_slices('workforce', match=['period_end']) }}
),

certified as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        n_certified as numerator,
        n_employed as denominator
    from counts
    where breakdown != 'skill_level'
),

by_level as (
    select
        totals.area_code,
        totals.period_type,
        totals.period_end,
        'highest_level' as breakdown,
        levels.skill_level as breakdown_value,
        coalesce(at_level.n_employed, 0) as numerator,
        totals.n_employed as denominator
    from counts as totals
    cross join levels
    left join counts as at_level
        on
            totals.area_code = at_level.area_code
            and totals.period_type = at_level.period_type
            and totals.period_end = at_level.period_end
            and levels.skill_level = at_level.breakdown_value
            and at_level.breakdown = 'skill_level'
    where totals.breakdown = 'total'
),

shares as (
    select * from certified
    union all
    select * from by_level
),

cells as (
    select
        *,
        denominator as n_persons
    from shares
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
