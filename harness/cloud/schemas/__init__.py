"""EventBridge's schema registry: registries, schemas and their versions, and discovery on event buses.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-schema.html
"""
