with

entries as (
    select * from {{ ref('dim_directory_entry') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end from slices
),

-- a directory is in force while one of its entries is; an entry that was revised later was issued on its first day
directories as (
    select
        days.period_end,
        entries.directory_kind,
        entries.directory_id,
        entries.area_code as issuing_area_code,
        bool_or(entries.valid_until is null or entries.valid_until >= days.period_end) as is_in_force,
        max(
            case when entries.revised_on <= days.period_end then entries.revised_on else entries.valid_from end
        ) as issued_or_revised_on
    from entries
    inner join days
        on entries.valid_from <= days.period_end
    group by days.period_end, entries.directory_kind, entries.directory_id, entries.area_code
),

recent as (
    select *
    from directories
    where
        is_in_force
        and issued_or_revised_on > period_end - interval '12 months'
)

select * from recent
