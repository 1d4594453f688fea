"""CodeBuild and CodePipeline: builds run as processes of this machine, pipelines carry their artifacts on."""
