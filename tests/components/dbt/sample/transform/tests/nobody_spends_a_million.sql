select * from {{ ref('customers') }} where spent >= 1000000
