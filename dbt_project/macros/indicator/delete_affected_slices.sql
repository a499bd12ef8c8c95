{# Deletes what this build computes anew, so that a slice that became empty does not keep its old rows. #}
{% macro delete_affected_slices() %}
    {%- if is_incremental() -%}
    delete from {{ this }} as cell
    where
        not exists (
            select 1
            from {{ source('ops', 'build_now') }} as build_now
            where build_now.kind = 'affected'
        )
        or exists (
            select 1
            from {{ ref('int_affected_slice') }} as slice
            where
                slice.indicator_code = '{{ indicator_code() }}'
                and slice.area_code = cell.area_code
                and slice.period_type = cell.period_type
                and slice.period_end = cell.period_end
        )
    {%- else -%}
    select 1
    {%- endif -%}
{% endmacro %}
