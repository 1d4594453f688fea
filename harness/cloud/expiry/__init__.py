"""What AWS deletes by itself: items past their time to live, objects by the rules of their bucket's life cycle.

`rules` decides what is due (pure), `emulated` carries it out, `reaper` looks when it is time.
"""
