"""Writes: each has a key of its caller's, is done once, and is answered alike whenever asked again.

The key also keeps strangers out: a page from elsewhere cannot set that header without asking the
browser to ask us first, and we do not answer that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import Header, Request, Response
from pydantic import BaseModel, ConfigDict

from gateway.api.context import OpsContext, now
from gateway.api.fields import Reason
from gateway.api.problems import Problem, response_of
from gateway.kept_answers import Answer, Claimed, KeptAnswers, OtherRequest, UnderWay, digest
from gateway.operator_commands import Act

_JSON = "application/json"
_REPLAYED = {"Idempotency-Replayed": "true"}

IdempotencyKey: TypeAlias = Annotated[
    str,
    Header(
        min_length=8,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Made by the caller for this write alone, e.g. a UUID. Asked again with the"
        " same key within a week, the first answer comes back and nothing is done.",
    ),
]


@dataclass(frozen=True, slots=True)
class Writing:
    """One write: what is asked for, and its key. A dependency of every endpoint that writes."""

    request: Request
    idempotency_key: IdempotencyKey


class WithReason(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Writes:
    """Does what writes ask for, once each."""

    def __init__(self, context: OpsContext) -> None:
        self._context = context
        self._answers = KeptAnswers(context.database)

    def once(
        self,
        writing: Writing,
        body: BaseModel | None,
        work: Callable[[Act], BaseModel],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """Do `work` and keep its answer; or give the answer that is kept.

        What `work` refuses is an answer, too. What fails for the database is not: it may be asked
        again.
        """
        at = now()
        asked = writing.request.method, writing.request.url.path
        request = digest(*asked, "" if body is None else body.model_dump_json())
        key = digest(writing.idempotency_key)
        claim = self._answers.claim(key, request, at)
        if isinstance(claim, Answer):
            return Response(claim.body, claim.status, _REPLAYED, claim.media_type)
        if isinstance(claim, OtherRequest):
            raise _other_request()
        if isinstance(claim, UnderWay):
            raise _under_way()
        return self._do(claim, Act(key, request, at, self._context.business_day(at)), work, status)

    def _do(
        self, claimed: Claimed, act: Act, work: Callable[[Act], BaseModel], status: HTTPStatus
    ) -> Response:
        answer: Answer | None = None
        try:
            answer = _answer(act, work, status)
        finally:
            if answer is None:
                self._answers.release(claimed)
        self._answers.keep(claimed, answer)
        return Response(answer.body, answer.status, media_type=answer.media_type)


def _answer(act: Act, work: Callable[[Act], BaseModel], status: HTTPStatus) -> Answer:
    try:
        return Answer(status, _JSON, work(act).model_dump_json())
    except Problem as problem:
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise  # it was not done: it may be asked again
        response = response_of(problem)
        return Answer(problem.status, str(response.media_type), bytes(response.body).decode())


def _other_request() -> Problem:
    told = "the key was used for another request: expected a new one for each write"
    field = ("header.idempotency-key", told)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", told, errors=[field])


def _under_way() -> Problem:
    told = "a request with this key is under way: ask again for its answer"
    return Problem(HTTPStatus.CONFLICT, "under-way", told, headers={"Retry-After": "1"})
