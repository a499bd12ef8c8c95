{{ indicator_config() }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices() }}
),

medians as (
    {{ in_slices('area_medians', match=['period_type', 'period_end']) }}
),

-- the two highest levels have so few holders that only the province has a figure
cells as (
    select
        medians.area_code,
        medians.period_type,
        medians.period_end,
        medians.breakdown,
        medians.breakdown_value,
        round(medians.median_cny_month, 4) as value,
        medians.n_persons
    from medians
    inner join slices
        on
            medians.area_code = slices.area_code
            and medians.period_type = slices.period_type
            and medians.period_end = slices.period_end
    where
        medians.level_group = 'all'
        and (medians.breakdown_value not in ('T', 'S') or slices.area_level = 'province')
)

{{ base_cells(['value', 'n_persons']) }}
