{{ indicator_config() }}

with

published_figures as (
    select * from {{ ref('seed_published_skill_share') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    {{ published_cells('published_figures', 'share_of_employed_pct') }}
)

{{ base_cells(['value']) }}
