"""Route 53: records answered by a resolver, health checks that really ask, and a front door for HTTP clients.

One port of loopback does it all: DNS over UDP and TCP, and an HTTP proxy that resolves names as a client would, TTL
included. With `http_proxy=http://127.0.0.1:PORT` a client uses the stack's own names, and so goes through a failover.

- `route53.py`      joins the parts; the operations that ministack lacks
- `records.py`      which record of several answers (pure)
- `resolver.py`     from a name to addresses, through aliases
- `health.py`       health checks
- `wire.py`         DNS messages
- `server.py`       the port
- `front_door.py`   one HTTP request or tunnel through it
- `emulated.py`     where ministack is touched
"""
