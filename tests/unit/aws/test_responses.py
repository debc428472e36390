"""The meaning of each response of a service of AWS, and the pauses between tries."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from common.aws.client import AwsError, Backoff, _result, _RetryableError
from common.journal import JournalUnavailable
from common.transport import Deadline, Response

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


def response(status: int, document: Any) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, {}, body)


@pytest.mark.parametrize(
    ("status", "document", "error", "text"),
    [
        (200, b"not json", _RetryableError, "http-200"),
        (500, b"", _RetryableError, "http-500"),
        (200, [], AwsError, "http-200"),
        (201, {}, AwsError, "http-201"),
        (400, [], AwsError, "http-400"),
        (400, {}, AwsError, "http-400"),
        (499, {"__type": "x#SomethingNew"}, AwsError, "SomethingNew"),
        (500, {"__type": "x#y#SomethingNew"}, _RetryableError, "SomethingNew"),
        (500, {}, _RetryableError, "http-500"),
        *(
            (400, {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}"}, _RetryableError, kind)
            for kind in (
                "InternalServerError", "ItemCollectionSizeLimitExceededException", "LimitExceededException",
                "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ServiceUnavailable",
                "ThrottlingException", "TransactionConflictException",
            )
        ),
    ],
)  # fmt: skip
def test_a_response_that_is_no_success_has_its_reason(
    status: int, document: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as raised:
        _result(response(status, document))
    assert str(raised.value) == text


def test_a_success_is_its_document() -> None:
    assert _result(response(200, {"Item": {}})) == {"Item": {}}


def test_a_failure_is_one_word_and_starts_without_doubt() -> None:
    assert (str(JournalUnavailable("timeout")), JournalUnavailable("timeout").doubt) == ("timeout", False)
    assert (JournalUnavailable("x", doubt=True).reason, JournalUnavailable("x", doubt=True).doubt) == (
        "x",
        True,
    )


def test_a_pause_is_a_random_part_of_twice_the_one_before_and_never_longer_than_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[tuple[float, float]] = []

    def draw(least: float, most: float) -> float:
        drawn.append((least, most))
        return 0.001

    slept: list[float] = []
    monkeypatch.setattr("common.aws.client.random.uniform", draw)
    monkeypatch.setattr(time, "sleep", slept.append)
    backoff = Backoff(DEADLINE)
    for _ in range(8):
        assert backoff.pause()
    assert drawn == [(0, most) for most in (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0)]
    assert (slept, backoff.retries) == ([0.001] * 8, 8)


def test_a_pause_that_the_deadline_does_not_leave_ends_the_tries() -> None:
    assert not Backoff(Deadline.after(0)).pause()
