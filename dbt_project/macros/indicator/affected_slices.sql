{# The slices of the model's indicator that this build computes; the body of a CTE. #}
{% macro affected_slices() -%}
    {{ slices_of([indicator_code()]) }}
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
        time_basis
    from {{ ref('int_affected_slice') }}
    where
        indicator_code in ('{{ codes | join("', '") }}')
        and is_covered
{%- endmacro %}

{# The same with each county that belongs to the area at the end of the period. #}
{% macro slice_members() -%}
    select
        slice.area_code,
        slice.area_level,
        slice.period_type,
        slice.period_start,
        slice.period_end,
        member.county_code
    from ({{ affected_slices() }}) as slice
    inner join {{ ref('area_member') }} as member
        on
            slice.area_code = member.area_code
            and slice.period_end >= member.valid_from
            and slice.period_end < member.valid_to
{%- endmacro %}
