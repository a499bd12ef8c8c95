{{ indicator_config() }}

with

records as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

directory_entries as (
    select * from {{ ref('dim_directory_entry') }}
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_slices('records', area='handling_area_code', day='completion_date') }}
),

-- the directories that count for a record: the handling county's and its city's, or the city's where that handles it;
-- what the province handles, or nobody knows who, has none
directory_areas as (
    select distinct
        placed.record_id,
        placed.project_code,
        placed.provider_uscc,
        placed.start_date,
        area_member.area_code as directory_area_code
    from placed
    inner join area_member
        on
            placed.handling_area_code = area_member.county_code
            and placed.start_date >= area_member.valid_from
            and placed.start_date < area_member.valid_to
            and area_member.area_level in ('county', 'city')
),

in_force as (
    select
        directory_areas.record_id,
        directory_areas.project_code,
        directory_areas.provider_uscc,
        directory_entries.directory_kind,
        directory_entries.entry_code,
        directory_entries.provider_uscc as listed_uscc
    from directory_areas
    left join directory_entries
        on
            directory_areas.directory_area_code = directory_entries.area_code
            and directory_areas.start_date >= directory_entries.valid_from
            and directory_areas.start_date <= coalesce(directory_entries.valid_until, 'infinity'::date)
),

listed as (
    select
        record_id,
        project_code is not null and provider_uscc is not null as is_coded,
        coalesce(bool_or(directory_kind = '01' and entry_code = project_code), false) as is_project_listed,
        coalesce(bool_or(directory_kind = '02' and listed_uscc = provider_uscc), false) as is_provider_listed
    from in_force
    group by record_id, project_code, provider_uscc
),

judged as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        placed.person_id,
        listed.is_coded,
        not listed.is_coded as is_uncoded,
        listed.is_project_listed and listed.is_provider_listed as is_inside,
        listed.is_provider_listed and not listed.is_project_listed as is_project_outside,
        listed.is_project_listed and not listed.is_provider_listed as is_provider_outside,
        not listed.is_project_listed and not listed.is_provider_listed as is_outside
    from placed
    inner join listed
        on placed.record_id = listed.record_id
),

-- whether a record without a code is inside nobody can tell: it counts in no part but its own
parts as (
    select
        judged.area_code,
        judged.period_type,
        judged.period_end,
        judged.person_id,
        part.breakdown,
        part.breakdown_value,
        part.is_counted,
        part.is_met
    from judged
    cross join lateral (
        values
        ('total', 'total', judged.is_coded, judged.is_inside),
        ('fault', 'project', judged.is_coded, judged.is_project_outside),
        ('fault', 'provider', judged.is_coded, judged.is_provider_outside),
        ('fault', 'both', judged.is_coded, judged.is_outside),
        ('fault', 'uncoded', true, judged.is_uncoded)
    ) as part (breakdown, breakdown_value, is_counted, is_met)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_met) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons
    from parts
    where is_counted
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
