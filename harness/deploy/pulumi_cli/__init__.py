"""The real Pulumi CLI through the Automation API: the same program, targets, events and errors as the embedded engine."""
