"""What resources are made of: one handler for each type, found by its Pulumi token."""
