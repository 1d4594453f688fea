"""CloudWatch Logs Insights: a query over log events. Pure.

`syntax` reads a query, `functions` are what it may call, `expressions` makes closures of it, `stages` and
`grouping` run its commands over rows, `rows` makes rows of events.
"""
