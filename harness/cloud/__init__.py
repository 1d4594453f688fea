"""The embedded cloud: one gate in front of an AWS emulator, with regions and zones that can fail."""
