"""Hostile headers, paths, queries and callbacks, and malformed HTTP."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.hostile.bodies import in_json, in_xml, request
from tests.hostile.hostile import ID, JSON, PATH, XML, Hostile
from tests.hostile.values import NUMBERS, PATHS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = "/api/v1/ocpp/chargers/{}/attempts"
CALLBACKS = "/api/v1/ocpp/callbacks/{}/{}/{}"

CONTENT_TYPES = (
    *(
        "",
        " ",
        ";",
        "/",
        "*/*",
        "application/*",
        "text/*",
        "json",
        "application",
        "application/",
        "/json",
        "a/b/c",
    ),
    *(
        "application/json;",
        "application/json;;;;",
        "application/json; charset",
        "application/json; charset=",
        "application/json;=x",
    ),
    *(
        'application/json; charset="',
        'application/json; charset="utf-8',
        "application/json; charset=utf-8; charset=utf-16",
    ),
    *(
        "application/json, application/xml",
        "application/xml, text/plain",
        "APPLICATION/JSON",
        "ApPlIcAtIoN/xMl",
        " application/json",
    ),
    *(
        "application/json\t",
        "application/json\x0b",
        "application/json\xa0",
        "application/j\xf6son",
        "applic\xe4tion/json",
        "\xff\xfe",
    ),
    *(
        "application/vnd.api+json",
        "application/soap+xml",
        "application/xml-dtd",
        "text/html",
        "image/svg+xml",
        "multipart/form-data",
    ),
    *(
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=zlib",
        "application/octet-stream",
        "text/plain",
    ),
    *(
        "application/json; charset=" + "x" * 5_000,
        "application/json; " + "a=b; " * 1_000,
        "application/json" + " " * 5_000,
        "a" * 5_000 + "/b",
    ),
    *(
        "application/json; charset=../../etc/passwd",
        "application/json; charset=%00",
        "application/json; a=\\",
        "application/json; charset='utf-8'",
    ),
)

ACCEPTS = (
    *(
        "",
        ",",
        ",,,,",
        ";",
        "*",
        "*/",
        "/*",
        "*/*",
        "*/xml",
        "application/*",
        "text/*",
        "*/*;q=0",
        "application/xml;q=0",
    ),
    *(
        f"application/xml;q={quality}"
        for quality in (
            "nan",
            "inf",
            "-inf",
            "1e999",
            "-1",
            "2",
            ".5",
            "5.",
            "1,5",
            "0x1",
            "",
            "²",
        )
    ),
    *(
        "application/xml;q=" + "9" * 5_000,
        "application/xml;q=0." + "1" * 5_000,
        "application/xml;" * 500,
        "application/json," * 500,
    ),
    *(
        ",".join(f"a/b{number}" for number in range(900)),
        "*/*," * 2_000,
        "a" * 9_000,
        "(" * 3_000,
        '"' * 3_000,
        "\\" * 3_000,
    ),
    *(
        'application/xml;q="0.5"',
        'application/xml;a="b;q=1,application/json"',
        "application/xml; q=1; q=0",
        "text/xml;level=1",
        "application/xml;charset=utf-16",
    ),
    *(
        "\xff",
        "application/\xe9",
        "application/xml\x0b",
        "application/problem+xml",
        "application/problem+json",
        "text/html,application/xhtml+xml,*/*;q=0.8",
    ),
)

OTHER_HEADERS: tuple[tuple[str, str], ...] = (
    *(
        ("X-Requested-With", value)
        for value in ("", "XMLHttpRequest", "xmlhttprequest,x", "\xff", "X" * 5_000)
    ),
    *(
        ("X-Amzn-Trace-Id", value)
        for value in (
            "",
            "Root=",
            "Root=1-0-0",
            "Root=1-" + "f" * 8 + "-" + "f" * 24 + ";Parent=x",
            "Root=1-zz",
            ";" * 4_000,
            "\xff",
        )
    ),
    *(
        ("traceparent", value)
        for value in ("", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff-zz", "x" * 5_000)
    ),
    *(
        ("X-Forwarded-For", value)
        for value in ("", "127.0.0.1", "169.254.169.254, ::1", "\xff", "1," * 3_000)
    ),
    *(("Host", value) for value in ("", "evil", "127.0.0.1:1", "a b", "\xff")),
    *(
        ("Authorization", value)
        for value in ("", "Basic", "Bearer " + "x" * 5_000, "AWS4-HMAC-SHA256 Credential=", "\xff")
    ),
    *(("Cookie", value) for value in ("", ";", "a=b;" * 1_000, "\xff", "__Host-a=" + "x" * 4_000)),
    *(("Accept-Charset", value) for value in ("utf-16", "*;q=0", "\xff")),
    *(("Accept-Encoding", value) for value in ("gzip", "br;q=1", "identity;q=0", "\xff")),
    *(("Content-Encoding", value) for value in ("gzip", "deflate", "br", "x")),
    *(
        ("Content-Language", "\xff"),
        ("Range", "bytes=0-" + "9" * 4_000),
        ("If-Match", "*"),
        ("Expect", "x"),
        ("Upgrade", "h2c"),
        ("TE", "trailers"),
    ),
    *(
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-Url", "/admin"),
        ("Prefer", "wait=999999"),
        ("Idempotency-Key", "x" * 5_000),
    ),
    *(
        ("X-" + "N" * 4_000, "v"),
        ("x", "v" * 9_000),
        ("__proto__", "x"),
        ("Retry-After", "-1"),
        ("Connect-Outcome", "accepted"),
        ("Transfer-Encoding", "identity"),
    ),
)


def headers(port: int) -> Iterator[Hostile]:
    as_json, as_xml = in_json(request(port)), in_xml(request(port))
    for value in CONTENT_TYPES:
        for body in (as_json, as_xml, b"chargerId=CP-1", b"\x00\xff"):
            yield Hostile(f"Content-Type: {value[:60]!a}", body, (("Content-Type", value),))
    for value in ACCEPTS:
        for media, body in ((JSON, as_json), (XML, as_xml), (JSON, b"{")):
            yield Hostile(f"Accept: {value[:60]!a}", body, (("Content-Type", media), ("Accept", value)))
    for name, value in OTHER_HEADERS:
        yield Hostile(f"{name[:30]}: {value[:60]!a}", as_json, (("Content-Type", JSON), (name, value)))
    for times in (2, 10, 90):
        for name in ("Content-Type", "Accept", "X-Requested-With", "Cookie", "X-Many"):
            many = ((name, JSON),) * times
            yield Hostile(f"{times} times {name}", as_json, (("Content-Type", JSON), *many))
    yield Hostile("no Content-Type", as_json)
    yield Hostile("no body", None, (("Content-Type", JSON),))
    yield Hostile("an empty body", b"", (("Content-Type", JSON),))
    for method in (
        "GET",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "HEAD",
        "PROPFIND",
        "post",
        "X" * 300,
        "P\xd6ST",
    ):
        yield Hostile(f"{method[:20]} instead of POST", as_json, (("Content-Type", JSON),), method=method)


def chargers_in_paths(_port: int) -> Iterator[Hostile]:
    """Yield hostile chargers and attempts in paths: unchanged, percent-encoded, and percent-encoded twice."""
    for text in (*PATHS, *TEXTS):
        encoded = quote(text.encode(errors="surrogatepass"), safe="")
        raw = "".join(character for character in text if character not in " \r\n\t\x0b\x0c\x00?#").encode()
        for encoding, segment in (
            ("raw", raw),
            ("encoded", encoded.encode()),
            ("twice", quote(encoded, safe="").encode()),
        ):
            for target in (
                ATTEMPTS.format("{}"),
                f"{PATH}/{{}}",
                CALLBACKS.format("{}", 1, "00"),
                CALLBACKS.format(ID, "{}", "00"),
                CALLBACKS.format(ID, 9999999999, "{}"),
            ):
                method = "POST" if "callbacks" in target else "GET"
                before, after = target.encode().split(b"{}")
                whole = before + segment + after
                if len(whole) < 9_000:
                    body = b'{"status":"Accepted"}' if method == "POST" else None
                    yield Hostile(
                        f"{encoding} {text[:30]!a} in {target}",
                        body,
                        (("Content-Type", JSON),),
                        whole,
                        method,
                    )


def queries(port: int) -> Iterator[Hostile]:
    body, content_type = in_json(request(port, tokenId=None)), (("Content-Type", JSON),)
    for number in NUMBERS:
        if len(number) > 5_000:
            continue
        escaped = quote(number)
        yield Hostile(f"connectorId={number[:20]}", body, content_type, f"{PATH}?connectorId={escaped}")
        yield Hostile(f"limit={number[:20]}", None, (), f"{ATTEMPTS.format('CP-1')}?limit={escaped}", "GET")
    for query in (
        "connectorId",
        "connectorId=",
        "connectorId[]=1",
        "connectorId=1&connectorId=2",
        "ConnectorId=1",
        "&&&&",
        "=",
        "?",
        "%00=%00",
        "connectorId=%ff",
        "a=" + "b" * 8_000,
        "&".join(f"a{n}=1" for n in range(900)),
    ):
        yield Hostile(f"?{query[:40]}", body, content_type, f"{PATH}?{query}")
    now = "2026-11-22T08:22:09.446952Z"
    for cursor in (
        *(
            None,
            True,
            1,
            1.5,
            "",
            [],
            {},
            [None],
            [ID],
            [ID, None],
            [ID, 1],
            [ID, ""],
            [ID, "x" * 33],
            [1, now],
            ["x", now],
            [[ID], now],
            [ID, now, 1],
        ),
        *(
            {"id": ID},
            [ID, [now]],
            ["0" * 32, now],
            [ID.upper(), now],
            [ID, "\x00"],
            [ID, "\ud83d"],
            ["{" + ID + "}", now],
            [ID, "9999"],
            [ID, "ￗ" * 8],
        ),
    ):
        text = urlsafe_b64encode(json.dumps(cursor).encode()).decode()
        for encoded in (text, text.rstrip("="), text + "=", "=" + text):
            yield Hostile(
                f"next of {ascii(cursor)[:40]}",
                None,
                (),
                f"{ATTEMPTS.format('CP-1')}?next={quote(encoded)}",
                "GET",
            )
    for raw in (
        b"[" * 3_000,
        b'{"a":' * 1_500,
        b"1" * 5_000,
        b'["%b", "%b"]' % (ID.encode(), b"x" * 5_000),
        b"\xff\xfe",
        b"NaN",
        b"[1e999,1e999]",
        b'[0,"\\ud83d"]',
    ):
        yield Hostile(
            f"next of {raw[:20]!r}",
            None,
            (),
            f"{ATTEMPTS.format('CP-1')}?next={urlsafe_b64encode(raw).decode()}",
            "GET",
        )
    for text in ("%", "%00", "%ff", "🔌", "AAAA", "=", "a" * 8_000, "../", "W10", "bnVsbA"):
        yield Hostile(
            f"next={text[:20]}", None, (), f"{ATTEMPTS.format('CP-1')}?next={quote(text, safe='%')}", "GET"
        )


def callbacks(_port: int) -> Iterator[Hostile]:
    target = CALLBACKS.format(ID, 4_000_000_000, "0" * 64)
    for body in (
        b"",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b"[" * 60_000,
        b'{"status":' * 5_000,
        b"\xff",
        b"\x00",
        b'{"status":1e400}',
        b'{"status":"\\ud83d"}',
        b"x" * 65_537,
    ):
        for media in (JSON, XML, "application/octet-stream", ""):
            yield Hostile(f"{body[:20]!r} as {media}", body, (("Content-Type", media),), target)


def framing(port: int) -> Iterator[bytes]:
    """Yield requests that are malformed HTTP."""
    body = in_json(request(port))
    start, length = b"POST %b HTTP/1.1\r\nHost: localhost\r\n" % PATH.encode(), len(body)
    head_start = start + b"Content-Type: application/json\r\n"
    for head in (
        *(
            b"Content-Length: -1",
            b"Content-Length: x",
            b"Content-Length: 1e3",
            b"Content-Length: 0x10",
            b"Content-Length: " + b"9" * 40,
            b"Content-Length: +5",
        ),
        *(
            b"Content-Length: %d\r\nContent-Length: 5" % length,
            b"Content-Length: %d, %d" % (length, length),
            b"Content-Length: 0",
            b"Content-Length : %d" % length,
        ),
        *(
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: chunked\r\nContent-Length: %d" % length,
            b"Transfer-Encoding: \x0bchunked",
        ),
        *(
            b"Content-Length: %d\r\n folded: x" % length,
            b"Content-Length: %d\r\nA\x00: b" % length,
            b"Content-Length: %d\r\nA: b\x00" % length,
            b"no colon",
        ),
        *(
            b": no name\r\nContent-Length: %d" % length,
            b"Content-Length: %d\r\nA: \r\r\n" % length,
            b"Content-Length: %d\nA: b" % length,
        ),
        b"\r\n".join(b"H%d: x" % number for number in range(2_000)),
    ):
        yield head_start + head + b"\r\nConnection: close\r\n\r\n" + body
    for line in (
        b"",
        b"POST",
        b"POST  ",
        b"\x00",
        b"\x16\x03\x01",
        b"GET / HTTP/0.9",
        b"POST / HTTP/9.9",
        b"PRI * HTTP/2.0",
        b"GET http://[::1 HTTP/1.1",
        b"GET //// HTTP/1.1",
        b"A" * 20_000,
    ):
        yield line + b"\r\nHost: x\r\n\r\n"
    for chunks in (
        b"5\r\nabc",
        b"zz\r\n",
        b"-1\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\nA: b\r\n\r\n",
        b"1;" + b"x" * 9_000 + b"\r\na\r\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
    ):
        yield head_start + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks
