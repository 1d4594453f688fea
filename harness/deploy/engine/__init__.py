"""The embedded Pulumi engine: serves the resource monitor to an unmodified program, and keeps the state."""
