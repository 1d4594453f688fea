"""What the AWS resource types look like: property names and types, extracted from `pulumi_aws`.

`types/<module>.json` is generated (`python -m harness.deploy.providers.aws.schema.generate`) so that the engine
never imports `pulumi_aws`: its subpackages take up to 0.8 s and 50 MB for the services of one program.
A contract test compares the files with the installed package.
"""
