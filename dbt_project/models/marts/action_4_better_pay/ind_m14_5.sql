{{ indicator_config() }}

with

agreements as (
    select * from {{ ref('fct_collective_agreement') }}
),

slices as (
    {{ affected_slices() }}
),

-- an agreement has a row for each enterprise that it covers
in_force as (
    select distinct
        agreements.agreement_id,
        slices.area_code,
        slices.period_type,
        slices.period_end,
        case agreements.scope when '区域性' then 'regional' else 'sectoral' end as agreement_scope
    from agreements
    inner join slices
        on
            agreements.filing_area_code = slices.area_code
            and agreements.valid_from <= slices.period_end
            and agreements.valid_until >= slices.period_end
    where agreements.scope in ('区域性', '行业性')
),

broken_down as (
    {{ total_and_parts('in_force', ['agreement_scope']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
