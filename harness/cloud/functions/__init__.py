"""Lambda in zones: execution environments are processes, one pool for each function and zone.

`pool.FunctionPool` is the door: ministack's triggers call its `execute`; the zone keeper tells it about power.

- `spec.py`         what a function is, read from the emulator's record
- `placement.py`    in which zone the next invocation runs
- `code.py`         unpacked code and layers, kept by content
- `runtime.py`      what the handler may import of ours: the runtime's own packages and nothing else
- `environment.py`  one process and its Runtime API
- `cpu_share.py`    what a tuned function may use of a CPU, by its memory
- `exchange.py`     the Runtime API's HTTP, in as few system calls as it takes
- `invocation.py`   what came of an invocation, in AWS's words
- `logs.py`         INIT_START, START, END, REPORT lines
"""
