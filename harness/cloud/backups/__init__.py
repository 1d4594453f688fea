"""Backups that are true in time: a table as it was at the asked second, and a refusal when that cannot be known.

`item_history` remembers every version of every item of a table with point-in-time recovery on (pure);
`emulated` puts it behind ministack's DynamoDB.
"""
