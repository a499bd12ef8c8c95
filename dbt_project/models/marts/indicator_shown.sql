{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_end']}
]) }}

with recursive

indicator_measured as (
    select * from {{ ref('indicator_measured') }}
),

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_method as (
    select * from {{ ref('seed_method') }}
),

seed_unit as (
    select * from {{ ref('seed_unit') }}
),

seed_measure as (
    select * from {{ ref('seed_measure') }}
),

cell_edge as (
    select * from {{ ref('cell_edge') }}
),

seed_county_list as (
    select * from {{ ref('seed_county_list') }}
),

-- a demonstration of the sandbox may show every cell as it is
demonstration as (
    select coalesce(bool_or(shows_exact_cells), false) as shows_exact_cells
    from {{ source('ops', 'build_now') }}
),

-- where a hidden part could follow from the others
partition as (
    select breakdown
    from {{ ref('seed_breakdown') }}
    where numerators_add_up_to is not null
),

list_in_force as (
    select unnest(array[group_code, rest_code]) as area_code
    from seed_county_list
    where list_code = 'in_force'
),

-- less is served: months of counties and cities in totals only, theirs to date at the end of a quarter, and
-- parts of county groups by the list in force only, since two lists may differ by one county
described as (
    select
        indicator_measured.*,
        seed_indicator.unit_scale,
        seed_method.value_from,
        seed_method.numerator_is,
        seed_method.denominator_is,
        seed_method.shown_from,
        seed_method.fewest_persons_behind,
        seed_unit.shown_to,
        case when demonstration.shows_exact_cells then 'none' else seed_indicator.disclosure end as disclosure
    from indicator_measured
    inner join seed_indicator
        on indicator_measured.indicator_code = seed_indicator.indicator_code
    inner join seed_method
        on seed_indicator.method = seed_method.method
    inner join seed_unit
        on seed_indicator.unit_zh = seed_unit.unit_zh
    cross join demonstration
    where
        seed_indicator.disclosure = 'none'
        or demonstration.shows_exact_cells
        or indicator_measured.area_level not in ('county', 'other', 'city', 'group')
        or (
            indicator_measured.area_level = 'group'
            and (
                indicator_measured.breakdown = 'total'
                or indicator_measured.area_code in (select list_in_force.area_code from list_in_force)
            )
        )
        or (
            indicator_measured.area_level != 'group'
            and (indicator_measured.period_type != 'month' or indicator_measured.breakdown = 'total')
            and (
                indicator_measured.period_type != 'ytd'
                or extract(month from indicator_measured.period_end) in (3, 6, 9)
            )
        )
),

tested as (
    select
        *,
        case
            when disclosure = 'none' then false
            when disclosure = 'employers' and num_nulls(n_employers, largest_employer_share) > 0 then true
            when n_employers < {{ fewest_employers() }} then true
            when largest_employer_share > {{ largest_share_of_an_employer() }} then true
            when disclosure = 'persons' and n_persons is null then true
            -- twenty of a median: ten on each side
            when n_persons < fewest_persons_behind then true
            when numerator_is != 'count'
                then coalesce(denominator_is = 'count' and denominator < {{ smallest_count_shown() }}, false)
            when least(denominator, comparison_denominator) < {{ fewest_in_a_share() }} then true
            else least(
                denominator,
                comparison_denominator,
                coalesce(n_numerator_persons, numerator),
                numerator,
                comparison_numerator,
                coalesce(n_complement_persons, denominator - numerator),
                denominator - numerator,
                comparison_denominator - comparison_numerator
            ) < {{ smallest_count_shown() }}
        end as is_small
    from described
),

-- a side that an indicator leaves out because too few are on it is as hidden as a small cell
withheld as (
    select
        *,
        is_small
        or (
            is_supplied
            and numerator_is = 'count'
            and denominator is not null
            and numerator is null
        ) as is_withheld
    from tested
),

-- whether a hidden cell could be had from an exact total of the province: as one of few parts that make it up
opened as (
    select
        indicator_code,
        extract(year from period_end) as year_number,
        coalesce(bool_or(is_withheld) filter (where area_level != 'city'), false)
        or (
            coalesce(bool_or(is_withheld) filter (where area_level = 'city'), false)
            and count(*) filter (where area_level = 'city' and not is_withheld) < {{ fewest_cities_shown() }}
        ) as is_open
    from withheld
    where
        (area_level = 'province' and breakdown in (select partition.breakdown from partition))
        or (area_level in ('city', 'group') and breakdown = 'total')
    group by indicator_code, period_type, period_end
),

-- a count that two indicators share is exact in both or in neither, and all the year, since months add up to it
measure_year as (
    select
        seed_measure.measure,
        opened.year_number,
        bool_or(opened.is_open) as is_open
    from opened
    inner join seed_measure
        on opened.indicator_code = seed_measure.indicator_code
    group by seed_measure.measure, opened.year_number
),

-- totals of which nothing hidden is a part
whole_total as (
    select
        seed_measure.indicator_code,
        measure_year.year_number
    from measure_year
    inner join seed_measure
        on measure_year.measure = seed_measure.measure
    group by seed_measure.indicator_code, measure_year.year_number
    having not bool_or(measure_year.is_open)
),

whole_count as (
    select
        seed_measure.measure,
        seed_measure.measure || ' ' || seed_measure.part as name,
        tested.indicator_code,
        tested.disclosure,
        tested.period_type,
        tested.period_end,
        whole_total.year_number,
        case seed_measure.side
            when 'numerator' then tested.numerator
            when 'denominator' then tested.denominator
            when 'comparison_numerator' then tested.comparison_numerator
            when 'comparison_denominator' then tested.comparison_denominator
        end as n_counted
    from tested
    inner join whole_total
        on
            tested.indicator_code = whole_total.indicator_code
            and extract(year from tested.period_end) = whole_total.year_number
    inner join seed_measure
        on
            tested.indicator_code = seed_measure.indicator_code
            and seed_measure.breakdown = 'any'
    where
        tested.area_level = 'province'
        and tested.breakdown = 'total'
        and tested.disclosure != 'none'
),

-- which count is within which, in however many steps
contained as (
    select
        part,
        whole,
        case when kind = 'subset' then partition else 'any' end as period_types
    from cell_edge
    where kind in ('subset', 'count')
    union distinct
    select
        contained.part,
        cell_edge.whole,
        case
            when contained.period_types = 'any' and cell_edge.kind = 'subset' then cell_edge.partition
            else contained.period_types
        end as period_types
    from contained
    inner join cell_edge
        on
            contained.whole = cell_edge.part
            and cell_edge.kind in ('subset', 'count')
            and (
                'any' in (contained.period_types, cell_edge.partition)
                or cell_edge.kind = 'count'
                or contained.period_types = cell_edge.partition
            )
),

-- one exact total less another one within it leaves an exact count too; how many employers are in it is not known
rest as (
    select distinct
        unnest(array[larger.measure, smaller.measure]) as measure,
        larger.year_number
    from whole_count as smaller
    inner join contained
        on
            smaller.name = contained.part
            and (
                contained.period_types = 'any'
                or smaller.period_type = any(string_to_array(contained.period_types, ','))
            )
    inner join whole_count as larger
        on
            contained.whole = larger.name
            and smaller.period_type = larger.period_type
            and smaller.period_end = larger.period_end
            and smaller.indicator_code != larger.indicator_code
    where
        larger.n_counted - smaller.n_counted < {{ smallest_count_shown() }}
        or 'employers' in (larger.disclosure, smaller.disclosure)
),

exact_total as (
    select
        indicator_code,
        year_number
    from whole_total
    except
    select
        seed_measure.indicator_code,
        rest.year_number
    from rest
    inner join seed_measure
        on rest.measure = seed_measure.measure
),

hidden_totals as (
    select
        indicator_code,
        area_code,
        period_type,
        period_end
    from tested
    where
        breakdown = 'total'
        and is_small
),

-- below a hidden total no part is served: that it is there would say that the total is not zero
served as (
    select tested.*
    from tested
    left join hidden_totals
        on
            tested.indicator_code = hidden_totals.indicator_code
            and tested.area_code = hidden_totals.area_code
            and tested.period_type = hidden_totals.period_type
            and tested.period_end = hidden_totals.period_end
    where
        tested.breakdown = 'total'
        or hidden_totals.indicator_code is null
),

marked as (
    select
        served.*,
        served.disclosure = 'none'
        or (
            served.area_level = 'province'
            and served.breakdown = 'total'
            and exact_total.indicator_code is not null
        ) as is_exact
    from served
    left join exact_total
        on
            served.indicator_code = exact_total.indicator_code
            and extract(year from served.period_end) = exact_total.year_number
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
        {{ shown_part('numerator', 'numerator_is') }} as numerator,
        {{ shown_part('denominator', 'denominator_is') }} as denominator,
        {{ shown_part('comparison_numerator', 'numerator_is') }} as comparison_numerator,
        {{ shown_part('comparison_denominator', 'denominator_is') }} as comparison_denominator,
        -- what follows from its parts follows from the shown ones
        {{ shown_value() }} as value,
        source_kind,
        is_supplied,
        is_immature,
        is_small,
        is_exact,
        value_from,
        shown_from,
        shown_to,
        unit_scale,
        audience,
        maturity,
        covered_from,
        covered_to,
        data_as_of
    from marked
),

valued as (
    select
        *,
        {{ cell_value() }} as quotient,
        {{ rounding_error() }} as rounding_error
    from rounded
),

-- no figure is written more precisely than the tens of its sides let it be known
known as (
    select
        *,
        {{ known_decimals() }} as known_decimals
    from valued
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
        case
            when not is_small and is_supplied and not is_immature then round(quotient, coalesce(known_decimals, 4))
        end as value,
        source_kind,
        is_supplied,
        is_immature,
        is_small as is_suppressed,
        is_exact,
        -- what is written is off by half of its last digit more
        case
            when not is_small then rounding_error + coalesce(0.5 * 10::numeric ^ (-known_decimals), 0)
        end as rounding_error,
        audience,
        maturity,
        covered_from,
        covered_to,
        data_as_of
    from known
)

select * from shown
