{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_end']}
]) }}

with

indicator_measured as (
    select * from {{ ref('indicator_measured') }}
),

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

described as (
    select
        indicator_measured.*,
        seed_indicator.method,
        seed_indicator.unit_scale,
        seed_indicator.disclosure,
        -- a count is shown whole for the province alone: it is the sum of many, and nothing follows from it
        indicator_measured.area_level = 'province' and indicator_measured.breakdown = 'total' as is_exact
    from indicator_measured
    inner join seed_indicator
        on indicator_measured.indicator_code = seed_indicator.indicator_code
),

tested as (
    select
        *,
        case
            when disclosure = 'employers' then coalesce(n_employers < {{ fewest_employers() }}, false)
            when disclosure != 'persons' then false
            when method in ('median', 'ratio_of_medians') then n_persons < 2 * {{ fewest_persons() }}
            else least(
                n_persons,
                denominator,
                comparison_denominator,
                coalesce(n_numerator_persons, numerator),
                comparison_numerator,
                coalesce(n_complement_persons, denominator - numerator),
                comparison_denominator - comparison_numerator
            ) < {{ fewest_persons() }}
        end as is_small
    from described
),

rounded as (
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        period_label,
        prior_year_end,
        breakdown,
        breakdown_value,
        {{ shown_part('numerator') }} as numerator,
        {{ shown_part('denominator') }} as denominator,
        {{ shown_part('comparison_numerator') }} as comparison_numerator,
        {{ shown_part('comparison_denominator') }} as comparison_denominator,
        -- what follows from its parts follows from the rounded ones
        case
            when disclosure != 'persons' then value
            when method = 'median' then round(value, -1)
        end as value,
        source_kind,
        is_supplied,
        is_immature,
        is_small,
        method,
        unit_scale,
        audience,
        maturity,
        covered_from,
        covered_to,
        data_as_of
    from tested
),

shown as (
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        period_label,
        prior_year_end,
        breakdown,
        breakdown_value,
        case when not is_small then numerator end as numerator,
        case when not is_small then denominator end as denominator,
        case when not is_small then comparison_numerator end as comparison_numerator,
        case when not is_small then comparison_denominator end as comparison_denominator,
        case when not is_small and is_supplied and not is_immature then {{ cell_value() }} end as value,
        source_kind,
        is_supplied,
        is_immature,
        is_small as is_suppressed,
        audience,
        maturity,
        covered_from,
        covered_to,
        data_as_of
    from rounded
)

select * from shown
