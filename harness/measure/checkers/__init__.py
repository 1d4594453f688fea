"""Checkers: what each kind of store promises, as pure functions from a history to the findings against it.

| checker | store | promise |
|---|---|---|
| `register` | DynamoDB item, Valkey key | a read returns something that was written; the last write stays |
| `linearizable` | DynamoDB item, read consistently | every operation took effect between call and answer |
| `append_only` | DynamoDB list | an acknowledged element is there once, in the order of real time |
| `counter` | DynamoDB number | acknowledged additions count once, others at most once |
| `unique` | DynamoDB condition, Aurora unique key | one owner for each key, and it is one who was told so |
| `versions` | S3, versioned bucket | every acknowledged version is kept; the newest is not an old one |
| `queue` | SQS | an accepted message ends processed or in the dead-letter queue |
| `fan_out` | EventBridge, SNS | an accepted event reaches every matching target, and no other |
| `bank` | Aurora | the sum of all balances never changes |
| `exactly_once` | the whole stack | an acknowledged order has each of its effects once |

Outcomes are those of the journal: `unknown` may have happened or not, and is an objection in neither case.
"""
