"""What AWS gives an account of each service, and refuses beyond it.

`quotas` has every limit with its source, `buckets` the token bucket they are kept by; `concurrency` Lambda's rule,
`requests` the rates of KMS and Parameter Store, `throughput` DynamoDB's (all pure); `emulated` and `tables` put them
in ministack's way, which has none of them.
"""
