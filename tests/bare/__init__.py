"""What a plain emulator does of the same; see `__main__`."""
