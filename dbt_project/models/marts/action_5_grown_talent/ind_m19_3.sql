{{ indicator_config() }}

with

entries as (
    select * from {{ ref('fct_certificate_equivalence') }}
),

slices as (
    {{ affected_slices() }}
),

-- the directory is the province's, and so are all slices
cells as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) as numerator
    from entries
    inner join slices
        on
            entries.valid_from <= slices.period_end
            and (entries.valid_to is null or entries.valid_to >= slices.period_end)
    group by slices.area_code, slices.period_type, slices.period_end
)

{{ base_cells(['numerator']) }}
