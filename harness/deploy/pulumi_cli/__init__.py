"""The real Pulumi CLI through the Automation API: same program, same targets, same events and errors."""
