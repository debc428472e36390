"""Write a response or a problem document in the negotiated format."""

from __future__ import annotations

import re

from common.wire import json_body
from common.wire.media import MediaType
from common.wire.messages import OcppStatusResponse
from common.wire.problems import Problem

_CONTENT_TYPES = {media: f"{media}; charset=utf-8" for media in MediaType}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def write_response(message: OcppStatusResponse | Problem, media: MediaType) -> tuple[str, str]:
    """Return the value of Content-Type and the body, which can always be encoded as UTF-8.

    A problem is written as `application/problem+json` or `application/problem+xml`.
    """
    if isinstance(message, Problem):
        content_type, body = _write_problem(message, media)
    elif media.is_xml:
        from common.wire import xml_body  # imported here: a process without XML responses does not need it

        content_type, body = _CONTENT_TYPES[media], xml_body.write_status(message)
    else:
        content_type, body = _CONTENT_TYPES[media], json_body.write_status(message)
    return content_type, body if body.isascii() else _LONE_SURROGATE.sub("\ufffd", body)


def _write_problem(problem: Problem, media: MediaType) -> tuple[str, str]:
    members = {name: value for name, value in problem._asdict().items() if value is not None}
    if errors := members.pop("errors"):
        members["errors"] = [error._asdict() for error in errors]
    if media.is_xml:
        from common.wire import xml_body

        return "application/problem+xml; charset=utf-8", xml_body.write_problem(members)
    return "application/problem+json; charset=utf-8", json_body.write_object(members)
