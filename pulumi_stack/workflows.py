"""The shop's two workflows in Amazon States Language: pricing a basket, and paying for it with a way back.

Both are JSONata. `${name}` stands for what the deployment fills in.
"""

from typing import Any

State = dict[str, Any]

PRICING: State = {
    "Comment": "Prices a basket: Express, the customer waits for it",
    "QueryLanguage": "JSONata",
    "StartAt": "PriceLines",
    "States": {
        "PriceLines": {
            "Type": "Map",
            "Items": "{% $states.input.lines %}",
            "MaxConcurrency": 4,
            "ItemProcessor": {
                "StartAt": "FindProduct",
                "States": {
                    "FindProduct": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::dynamodb:getItem",
                        "Arguments": {
                            "TableName": "${catalogue}",
                            "Key": {
                                "pk": {"S": "{% 'PRODUCT#' & $states.input.sku %}"},
                                "sk": {"S": "PRODUCT"},
                            },
                        },
                        "Assign": {
                            "line": "{% $states.input %}",
                            "item": "{% $exists($states.result.Item) ? $states.result.Item : {} %}",
                        },
                        "Next": "IsThere",
                    },
                    "IsThere": {
                        "Type": "Choice",
                        "Choices": [{"Condition": "{% $exists($item.price_cents) %}", "Next": "Priced"}],
                        "Default": "NoSuchProduct",
                    },
                    "NoSuchProduct": {
                        "Type": "Fail",
                        "Error": "UnknownProduct",
                        "Cause": "{% 'there is no ' & $line.sku %}",
                    },
                    "Priced": {
                        "Type": "Pass",
                        "Output": {
                            "sku": "{% $line.sku %}",
                            "quantity": "{% $line.quantity %}",
                            "price_cents": "{% $number($item.price_cents.N) %}",
                        },
                        "End": True,
                    },
                },
            },
            "Next": "AddUp",
        },
        "AddUp": {
            "Type": "Pass",
            "Output": {
                "lines": "{% $states.input %}",
                "total_cents": "{% $sum($states.input.(price_cents * quantity)) %}",
            },
            "End": True,
        },
    },
}


def _stock(sign: str, *, guarded: bool) -> str:
    """A transaction's items: each line's quantity out of the stock, or back into it."""
    condition = "'ConditionExpression': 'available >= :n'," if guarded else ""
    return (
        "{% [$order.lines.{'Update': {'TableName': '${stock}', 'Key': {'sku': {'S': sku}},"
        f"'UpdateExpression': 'SET available = available {sign} :n', {condition}"
        "'ExpressionAttributeValues': {':n': {'N': $string(quantity)}}}}] %}"
    )


def _transact(items: str, **more: Any) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems",
        "Arguments": {"TransactItems": items},
        **more,
    }


def _card(action: str, **more: Any) -> State:
    payload = {
        "action": action,
        "checkout_id": "{% $order.checkout_id %}",
        "card": "{% $order.card %}",
        "cents": "{% $order.total_cents %}",
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${card}", "Payload": payload},
        **more,
    }


def _mark(status: str, **more: Any) -> State:
    """The checkout's status changes, if it is still pending: a customer may have cancelled meanwhile."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Arguments": {
            "TableName": "${catalogue}",
            "Key": {
                "pk": {"S": "{% 'CUSTOMER#' & $order.customer %}"},
                "sk": {"S": "{% 'CHECKOUT#' & $order.checkout_id %}"},
            },
            "UpdateExpression": "SET #s = :to, reason = :why",
            "ConditionExpression": "#s = :pending",
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": {
                ":to": {"S": status},
                ":why": {"S": "{% $reason %}"},
                ":pending": {"S": "PENDING"},
            },
        },
        **more,
    }


def _on(errors: list[str], reason: str, then: str) -> State:
    return {"ErrorEquals": errors, "Assign": {"reason": reason}, "Next": then}


SAGA: State = {
    "Comment": "Pays a checkout: what was done is undone in reverse when a later step fails",
    "QueryLanguage": "JSONata",
    "StartAt": "Begin",
    "States": {
        "Begin": {"Type": "Pass", "Assign": {"order": "{% $states.input %}", "reason": ""}, "Next": "Reserve"},
        "Reserve": _transact(
            _stock("-", guarded=True), Catch=[_on(["States.ALL"], "out of stock", "MarkFailed")], Next="Charge"
        ),
        "Charge": _card(
            "charge",
            Retry=[
                {
                    "ErrorEquals": ["GatewayBusyError", "Lambda.TooManyRequestsException", "Lambda.ServiceException"],
                    "IntervalSeconds": 1,
                    "BackoffRate": 1.5,
                    "MaxAttempts": 4,
                    "JitterStrategy": "FULL",
                }
            ],
            Catch=[
                _on(["CardDeclinedError"], "card declined", "Release"),
                _on(["States.ALL"], "no payment", "Release"),
            ],
            Next="MarkPaid",
        ),
        "MarkPaid": _mark("PAID", Catch=[_on(["States.ALL"], "cancelled", "Refund")], End=True),
        "Refund": _card("refund", Next="Release"),
        "Release": _transact(_stock("+", guarded=False), Next="MarkFailed"),
        "MarkFailed": _mark("FAILED", Catch=[_on(["States.ALL"], "cancelled", "Failed")], Next="Failed"),
        "Failed": {"Type": "Fail", "Error": "CheckoutFailed", "Cause": "{% $reason %}"},
    },
}
