"""Blackstart's framework: deploy a stack, drive it, break it, judge it. `docs/house.md` is the map."""
