select
    planes.manufacturer,
    flights.carrier,
    flights.carrier_name,
    cast(count(distinct flights.tailnum) as bigint) as planes,
    cast(count(*) as bigint) as flights,
    cast(avg(2013 - planes.built_year) as {{ dbt.type_float() }}) as avg_age_years
from {{ ref('fct_flights') }} as flights
inner join {{ ref('stg_planes') }} as planes on flights.tailnum = planes.tailnum
group by 1, 2, 3
