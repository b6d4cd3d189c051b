{#- Dates in words that every warehouse knows. -#}
{% macro date_of(year, month, day) -%}
    {%- set month = "lpad(cast(" ~ month ~ " as " ~ dbt.type_string() ~ "), 2, '0')" -%}
    {%- set day = "lpad(cast(" ~ day ~ " as " ~ dbt.type_string() ~ "), 2, '0')" -%}
    cast({{ dbt.concat(["cast(" ~ year ~ " as " ~ dbt.type_string() ~ ")", "'-'", month, "'-'", day]) }} as date)
{%- endmacro %}

{#- ISO weekday, 1 is Monday, of a date since 2000. -#}
{% macro iso_weekday(date) -%}
    {%- set monday = "cast('2000-01-03' as date)" -%}
    {#- On Databricks, dbt's macro asks the warehouse for its version, and would not compile without one. -#}
    {%- set days = "datediff(" ~ date ~ ", " ~ monday ~ ")" if target.type == "databricks" else dbt.datediff(monday, date, "day") -%}
    cast(mod({{ days }}, 7) + 1 as integer)
{%- endmacro %}
