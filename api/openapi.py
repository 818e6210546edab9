"""What `/openapi.json` says beyond what FastAPI reads off the routes: that every error is a problem
document, and which errors a call of its kind can meet wherever it leads.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from api.errors import PROBLEM
from api.replies import Problem

_ANY = {
    HTTPStatus.FORBIDDEN: "The server isn't known by that name, or another site's page asks",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something in the request doesn't fit",
    HTTPStatus.SERVICE_UNAVAILABLE: "What it needs can't be reached now; see Retry-After",
}
_WITH_BODY = {
    HTTPStatus.BAD_REQUEST: "The body can't be decoded",
    HTTPStatus.REQUEST_TIMEOUT: "The body comes too slowly",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
}
_SCHEMAS_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Make the application tell all of it."""
    derived = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = derived()
            for item in described["paths"].values():
                for operation in item.values():
                    _add_problems(operation)
            schemas = described["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema(ref_template=_TEMPLATE)
            schemas |= schemas["Problem"].pop("$defs", {})
            for name in _SCHEMAS_OF_FASTAPI:
                schemas.pop(name, None)
        return app.openapi_schema or {}

    app.openapi = whole  # type: ignore[method-assign]


_TEMPLATE = "#/components/schemas/{model}"


def _add_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status, meaning in (_ANY | (_WITH_BODY if "requestBody" in operation else {})).items():
        responses.setdefault(str(status.value), {"description": meaning})
    content = {PROBLEM: {"schema": {"$ref": _TEMPLATE.format(model=Problem.__name__)}}}
    for status, response in responses.items():
        if status >= "400":
            response["content"] = content
