{#- The figures that every mart about delays shares, over rows of fct_flights. -#}
{% macro delay_figures() -%}
    cast(count(*) as bigint) as flights,
    cast(sum(case when is_cancelled then 1 else 0 end) as bigint) as cancelled,
    cast(sum(case when is_delayed then 1 else 0 end) as bigint) as delayed,
    cast(avg(case when is_delayed then 1.0 else 0.0 end) as {{ dbt.type_float() }}) as delayed_share,
    cast(avg(dep_delay_minutes) as {{ dbt.type_float() }}) as avg_dep_delay_minutes,
    cast(avg(arr_delay_minutes) as {{ dbt.type_float() }}) as avg_arr_delay_minutes
{%- endmacro %}
