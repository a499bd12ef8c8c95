{{ indicator_config() }}
{%- set sums -%}
        count(wage_cny) as n_now,
        sum(wage_cny) as wage_now,
        count(wage_before_cny) as n_before,
        sum(wage_before_cny) as wage_before,
        count(wage_cny + wage_before_cny) as n_both,
        sum(wage_cny) filter (where wage_before_cny is not null) as wage_now_of_both,
        sum(wage_before_cny) filter (where wage_cny is not null) as wage_before_of_both
{%- endset -%}

with

person_wages as (
    select * from {{ ref('int_wage_growth') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

members as (
    {{ slice_members() }}
),

slices as (
    {{ affected_slices() }}
),

one_county as (
    select
        period_end,
        work_area_code,
        is_certified,
        wage_sum_cny / bit_count(month_bits::bit(12)) as wage_cny,
        wage_sum_before_cny / bit_count(month_bits_before::bit(12)) as wage_before_cny
    from person_wages
    where is_in_one_county
),

-- added up before they are spread over the areas of a county, which are many
county_sums as (
    select
        period_end,
        work_area_code,
        is_certified,
        {{ sums }}
    from one_county
    group by period_end, work_area_code, is_certified
),

of_one_county as (
    {{ in_members('county_sums', county='work_area_code', match=['period_end']) }}
),

several_counties as (
    select *
    from person_wages
    where not is_in_one_county
),

spread as (
    {{ in_members('several_counties', county='work_area_code', match=['period_end']) }}
),

-- a month with wages in two counties of an area is one month of the area
persons_of_several_counties as (
    select
        area_code,
        period_type,
        period_end,
        is_certified,
        sum(wage_sum_cny) / bit_count(bit_or(month_bits)::bit(12)) as wage_cny,
        sum(wage_sum_before_cny) / bit_count(bit_or(month_bits_before)::bit(12)) as wage_before_cny
    from spread
    group by area_code, period_type, period_end, is_certified, person_id
),

of_several_counties as (
    select
        area_code,
        period_type,
        period_end,
        is_certified,
        {{ sums }}
    from persons_of_several_counties
    group by area_code, period_type, period_end, is_certified
),

area_sums as (
    select
        area_code,
        period_type,
        period_end,
        is_certified,
        n_now,
        wage_now,
        n_before,
        wage_before,
        n_both,
        wage_now_of_both,
        wage_before_of_both
    from of_one_county
    union all
    select * from of_several_counties
),

-- those with wages in both years, apart from whoever has them in either
broken_down as (
    select
        area_sums.area_code,
        area_sums.period_type,
        area_sums.period_end,
        area_sums.is_certified,
        part.*
    from area_sums
    cross join lateral (
        values
        (
            'total', 'total',
            area_sums.n_now, area_sums.wage_now, area_sums.n_before, area_sums.wage_before
        ),
        (
            'panel', 'panel',
            area_sums.n_both, area_sums.wage_now_of_both, area_sums.n_both, area_sums.wage_before_of_both
        )
    ) as part (breakdown, breakdown_value, n_now, wage_now, n_before, wage_before)
),

means as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        coalesce(sum(n_now) filter (where is_certified), 0) as n_certified,
        coalesce(sum(n_before) filter (where is_certified), 0) as n_certified_before,
        sum(wage_now) filter (where is_certified)
        / nullif(sum(n_now) filter (where is_certified), 0) as mean_of_certified,
        sum(wage_before) filter (where is_certified)
        / nullif(sum(n_before) filter (where is_certified), 0) as mean_of_certified_before,
        sum(wage_now) / nullif(sum(n_now), 0) as mean_of_all,
        sum(wage_before) / nullif(sum(n_before), 0) as mean_of_all_before
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

-- a growth needs the whole year before; until it is there the persons of the year are known, and no growth
based as (
    select
        means.*,
        base.period_end is not null as has_base
    from means
    inner join slices
        on
            means.area_code = slices.area_code
            and means.period_type = slices.period_type
            and means.period_end = slices.period_end
    left join covered_periods as base
        on
            slices.indicator_code = base.indicator_code
            and slices.period_type = base.period_type
            and slices.period_start - 1 = base.period_end
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        case when has_base then 100 * (mean_of_certified / mean_of_certified_before - 1) end as numerator,
        case when has_base then 100 * (mean_of_all / mean_of_all_before - 1) end as denominator,
        case when has_base then least(n_certified, n_certified_before) else n_certified end as n_persons
    from based
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
