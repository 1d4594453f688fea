"""Failover procedures of this project's own drills, as code: docs/disaster-recovery.md says how to write another."""
