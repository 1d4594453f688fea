"""What AWS promises about delivery, where the emulator promises less: retries, destinations, dead letters.

`asynchronous` is Lambda's asynchronous invocation, `stream_batches` what becomes of a stream's batch that fails,
`records` the JSON that destinations and dead-letter queues get; `emulated` and `streams` put them behind ministack's
event sources.
"""
