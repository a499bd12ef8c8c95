{# The slices of one indicator that this build computes; the body of a CTE. #}
{% macro affected_slices(code) -%}
    {{ slices_of([code]) }}
{%- endmacro %}

{# Those of several indicators. #}
{% macro slices_of(codes) -%}
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        reference_date,
        horizon_date
    from {{ ref('int_affected_slice') }}
    where
        indicator_code in ('{{ codes | join("', '") }}')
        and period_start <= horizon_date
{%- endmacro %}

{# The same with each county that belongs to the area at the end of the period. #}
{% macro slice_members(code) -%}
    select
        slice.area_code,
        slice.area_level,
        slice.period_type,
        slice.period_start,
        slice.period_end,
        slice.reference_date,
        slice.horizon_date,
        member.county_code
    from ({{ affected_slices(code) }}) as slice
    inner join {{ ref('area_member') }} as member
        on
            slice.area_code = member.area_code
            and slice.period_end >= member.valid_from
            and slice.period_end < member.valid_to
{%- endmacro %}
