"""What a team sees: metrics as CloudWatch keeps them, and alarms that are evaluated on schedule.

`series` keeps the figures, `statistics`, `metric_math` and `queries` read them, `alarm` decides (pure), `keeper` does
so on time, `service_metrics` publishes what AWS's services publish, `emulated` puts it behind ministack's API.
"""
