"""What each command does with the parts; `harness.cli` maps words to these and prints their answers."""
