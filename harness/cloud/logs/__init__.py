"""CloudWatch Logs beyond storage: filter patterns, metrics from log lines, subscriptions, Insights.

`patterns` reads filter patterns, `metric_filters` and `embedded_metrics` make metrics of events, `insights` answers
queries (all pure); `subscriptions` delivers; `emulated` puts it behind ministack's log groups.
"""
