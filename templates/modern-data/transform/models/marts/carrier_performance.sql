select
    carrier,
    carrier_name,
    origin,
    {{ delay_figures() }}
from {{ ref('fct_flights') }}
group by 1, 2, 3
