"""GET /quotes/{speed}: what delivery costs, by the tariffs in the layer."""

import os
from typing import Any

import tariffs
from web import answer

PRICES = {"standard": tariffs.STANDARD_CENTS, "express": tariffs.EXPRESS_CENTS}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """200 with the price, the tariffs and the version that answered; 404 for a speed that nobody offers."""
    speed = event["pathParameters"]["speed"]
    if speed not in PRICES:
        return answer(404, {"error": f"no such delivery: {speed}"})
    told = {"speed": speed, "cents": PRICES[speed], "tariffs": tariffs.VERSION}
    started = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
    return answer(200, told, {"X-Version": context.function_version, "X-Started": started})
