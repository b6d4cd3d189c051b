select cast(day as date) as day
from range(date '2026-01-01', date '2026-04-01', interval 1 day) as days(day)
where dayofweek(day) in (0, 6)
