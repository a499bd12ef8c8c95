-- A breakdown or value that no seed names would stand in charts as its code.
with

cells as (
    select distinct
        breakdown,
        breakdown_value
    from {{ ref('indicator_cell') }}
),

dim_breakdown as (
    select * from {{ ref('dim_breakdown') }}
)

select
    cells.breakdown,
    cells.breakdown_value
from cells
left join dim_breakdown
    on
        cells.breakdown = dim_breakdown.breakdown
        and cells.breakdown_value = dim_breakdown.breakdown_value
where dim_breakdown.breakdown is null
