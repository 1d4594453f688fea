"""Copies between regions and buckets: how long each is under way (`lags`), and so what is lost with a region."""
