"""A Pulumi program becomes resources: by the embedded engine, or by the real Pulumi CLI."""
