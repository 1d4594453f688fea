"""What AWS would charge for, counted as it is used, whoever uses it.

- `meters.py`    the counters, and the calls that are charged by their name
- `emulated.py`  what only the emulator knows: units of tables, events, transitions, requests to queues, what is held
"""
