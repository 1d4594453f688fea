"""Databases and caches as real processes in zones: Aurora and RDS PostgreSQL, ElastiCache (Valkey).

`programs.py` where the servers come from; `postgres.py` one server; `volume.py` what a cluster's storage keeps;
`cluster.py` roles and failover; `endpoint.py` the TCP endpoints that follow roles; `rds.py` joins all that with the
records of the emulator. docs/databases.md says how AWS's behaviour is modelled.
"""
