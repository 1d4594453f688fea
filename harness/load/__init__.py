"""Load (Locust) and measurement (the open-loop prober), each in a process of its own."""
