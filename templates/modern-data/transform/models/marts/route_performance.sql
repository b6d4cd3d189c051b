with routes as (

    select
        origin,
        dest,
        dest_name,
        {{ delay_figures() }}
    from {{ ref('fct_flights') }}
    group by 1, 2, 3

)

select
    routes.origin,
    routes.dest,
    routes.dest_name,
    cast(airports.latitude as {{ dbt.type_float() }}) as dest_lat,
    cast(airports.longitude as {{ dbt.type_float() }}) as dest_lon,
    routes.flights,
    routes.cancelled,
    routes.delayed,
    routes.delayed_share,
    routes.avg_dep_delay_minutes,
    routes.avg_arr_delay_minutes
from routes
left join {{ ref('stg_airports') }} as airports on routes.dest = airports.airport
