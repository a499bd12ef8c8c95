{#
    How persons are broken down, the same in every indicator; the values and their labels stand in seed_breakdown_value.
    Who is younger than 16 or without a year of birth (documents other than the resident ID card) is not stated.
#}
{% macro age_band(birth_year, day) -%}
    case
        when extract(year from {{ day }}) - {{ birth_year }} >= 55 then '55+'
        when extract(year from {{ day }}) - {{ birth_year }} >= 45 then '45-54'
        when extract(year from {{ day }}) - {{ birth_year }} >= 35 then '35-44'
        when extract(year from {{ day }}) - {{ birth_year }} >= 25 then '25-34'
        when extract(year from {{ day }}) - {{ birth_year }} >= 16 then '16-24'
        else 'unstated'
    end
{%- endmacro %}

{# Urban ('1') or rural ('2') by the 100- and 200-series of the statistical urban and rural codes (国函〔2008〕60号). #}
{% macro urban_rural(urban_rural_code) -%}
    coalesce(substring({{ urban_rural_code }} from '^[12]'), 'unstated')
{%- endmacro %}
