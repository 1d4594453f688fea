"""Backups that are true in time: a table as it was at the asked second, and a refusal when that cannot be known.

`item_history` remembers every version of every item of a table with point-in-time recovery on (pure);
`emulated` puts it behind ministack's DynamoDB. `service` is AWS Backup: its jobs copy by each resource's own API
(`stores`), on request or when a plan is due (`plans`), and keep recovery points (`points`).
"""
