"""Every error as problem+json (RFC 9457), with the field named and never its value.

A value may be a PAN that somebody put into the wrong place; so none is repeated, whatever it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ledger.database import Database, OutcomeUnknown

MEDIA_TYPE = "application/problem+json"
_BLANK = "about:blank"
_PREFIX = "urn:cardrail:problem:"

Found = TypeVar("Found")


class FieldError(BaseModel):
    """One field that cannot be used."""

    field: str = Field(description="Where it stands, e.g. `body.amount` or `query.cursor`.")
    message: str = Field(description="What was expected.")


class ProblemDetails(BaseModel):
    """RFC 9457: what went wrong, for programs (`type`) and for people (`title`, `detail`)."""

    type: str = Field(description=f"`{_PREFIX}...`; `{_BLANK}` where the status says it all.")
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None


class Problem(Exception):
    """An answer that is no success. `kind` is the last part of its type."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, kind, detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers


def not_found(detail: str) -> Problem:
    """What was named does not exist."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", detail)


def required(found: Found | None, detail: str) -> Found:
    """What was named; or the problem that it does not exist."""
    if found is None:
        raise not_found(detail)
    return found


def invalid(field: str, expected: str) -> Problem:
    """A field that cannot be used, found by more than its form."""
    told = f"{field}: {expected}"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", told, errors=[(field, expected)])


def response_of(problem: Problem) -> JSONResponse:
    """`problem` as it is sent."""
    return _response(
        problem.status,
        f"{_PREFIX}{problem.kind}",
        problem.detail,
        errors=[FieldError(field=field, message=told) for field, told in problem.errors],
        headers=problem.headers,
    )


def response_of_invalid(error: RequestValidationError) -> JSONResponse:
    """Which fields of a request are wrong, and what was expected of each."""
    errors = [_field_error(each) for each in error.errors()]
    told = "; ".join(f"{each.field}: {each.message}" for each in errors)
    kind = f"{_PREFIX}invalid"
    return _response(HTTPStatus.UNPROCESSABLE_ENTITY, kind, told, errors=errors)


def install(app: FastAPI, database: Database) -> None:
    """Have `app` answer every error so; `database` tells its own trouble from a mistake of ours."""

    @app.exception_handler(Problem)
    def _on_problem(_request: Request, error: Problem) -> JSONResponse:
        return response_of(error)

    @app.exception_handler(RequestValidationError)
    def _on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return response_of_invalid(error)

    @app.exception_handler(HTTPException)
    def _on_http(_request: Request, error: HTTPException) -> JSONResponse:
        return _response(HTTPStatus(error.status_code), _BLANK, None, headers=error.headers)

    @app.exception_handler(Exception)
    def _on_failure(_request: Request, error: Exception) -> JSONResponse:
        return response_of(_failure(error, database))


def _failure(error: Exception, database: Database) -> Problem:
    """What `error`, which the server logs, is for those who asked."""
    if isinstance(error, OutcomeUnknown):
        told = "the ledger was lost while it committed: ask again with the same Idempotency-Key"
    elif database.is_operating_error(error):
        told = "the ledger does not answer: nothing has happened; ask again"
    else:
        told = "the request met a mistake of ours, which the log tells more of"
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", told)
    headers = {"Retry-After": "1"}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", told, headers=headers)


def _response(
    status: HTTPStatus,
    type_: str,
    detail: str | None,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    details = ProblemDetails(
        type=type_, title=status.phrase, status=status, detail=detail, errors=[*errors] or None
    )
    content = details.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    """The words of pydantic, which quote no value but in an error of our own making."""
    place = ".".join(map(str, error["loc"]))
    told = str(error["msg"]).removeprefix("Value error, ")
    return FieldError(field=place, message=told)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any error.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        "model": ProblemDetails,
    }
}
