select
    weekday,
    scheduled_hour,
    origin,
    {{ delay_figures() }}
from {{ ref('fct_flights') }}
group by 1, 2, 3
