"""Application Load Balancers: a socket on loopback each, rules, targets with real health checks, zones.

ministack keeps the records and answers the API; what it lost of them is kept here.

- `balancers.py`    all of them, as the API's operations change them; the target groups of ECS
- `balancer.py`     one: its socket, its nodes in zones, its listeners
- `routing.py`      which rule a request meets, and what is to be done with it (pure)
- `forwarding.py`   one request to one target and its answer back
- `targets.py`      target groups: states of targets, health checks, draining
- `zonal_shift.py`  the API of ARC zonal shift
- `metrics.py`      AWS/ApplicationELB
- `emulated.py`     where ministack is touched
"""
