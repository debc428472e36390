"""Open the journal of a deployment, check that it can be used, and reply while it is unavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from common.aws import DYNAMODB
from common.aws.credentials import from_environment
from common.edge.replies import Reply
from common.journal import DynamoDB, Journal, JournalUnavailable
from common.transport import Deadline
from common.wire import make_problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from common.settings import Settings

_log = Logger(utc=True)
_CHECK_TIMEOUT = 10.0  # seconds


def open_journal(settings: Settings, environ: Mapping[str, str], **options: Any) -> Journal:
    """Return the journal that the settings name, with `options` of `Journal`; nothing is connected yet.

    Raises
    ------
    CredentialsError
    """
    endpoint = DYNAMODB.endpoint(settings.aws_region, environ)
    dynamodb = DynamoDB(endpoint, settings.aws_region, from_environment(environ))
    return Journal(dynamodb, settings.table_name, **options)


def journal_failures(journal: Journal, operations: Collection[str]) -> list[str]:
    """Return why the table cannot be used with these DynamoDB operations; an empty list if it can."""
    try:
        journal.check_access(operations, Deadline.after(_CHECK_TIMEOUT))
    except JournalUnavailable as error:
        return [f"table: {error.reason}"]
    return []


def journal_unavailable(error: JournalUnavailable, step: str, detail: str) -> Reply:
    """Log that the journal failed at this step, and return the reply (503).

    Its outcome is `unknown`: nothing is known about the attempt that was to be read or changed.
    """
    _log.error("journal failed", extra={"step": step, "reason": error.reason})
    return Reply(make_problem("journal-unavailable", detail, outcome="unknown"), {"Retry-After": "1"})
