"""EventBridge Pipes: from a queue or stream through filter and enrichment to a target.

`templates` shapes what is sent (pure), `sources` reads and acknowledges, `targets` delivers with the pipe's role,
`running` moves batches, `emulated` stands in for ministack's poller, which moves table streams unfiltered.
"""
