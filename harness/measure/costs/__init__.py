"""What a run would have cost on AWS: what was used, priced by a list that is shipped with its date and sources.

- `price_list.json`  the list: AWS's public on-demand prices
- `prices.py`        reads it; tiers and the free tier
- `bill.py`          usage and prices → lines and sums; pure
"""
