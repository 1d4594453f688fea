"""Application Auto Scaling by target tracking: what has a capacity gets the one that its metric asks for.

`tracking` decides (pure), `services` are those of ECS, `tables` DynamoDB's, `api` takes the policies.
"""
