"""AWS X-Ray: segments of what runs here and of what applications send, joined into traces.

`header` is how a trace travels, `store` keeps segments, `summaries`, `filter_expression` and `graph` read them (all
pure), `service` answers the X-Ray API, `daemon` listens for SDKs, `otlp` takes OpenTelemetry in, `weaving` makes the
segments of API Gateway, Lambda, Step Functions and of AWS calls; `emulated` carries the header on.
"""
