"""The live console: what runs, where it lives, what is broken, and the levers of a game day."""
