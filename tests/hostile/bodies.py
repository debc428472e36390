"""Hostile bodies, in every format."""

from __future__ import annotations

import codecs
import encodings.aliases
import json
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes
from uuid import UUID
from xml.sax.saxutils import escape

from tests.hostile.hostile import FORM, JSON, MODELS, TOKEN, XML, Hostile, with_body
from tests.hostile.values import NUMBERS, PATHS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = ("id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort")
FIELDS_WITHOUT_TOKEN = tuple(field for field in FIELDS if field != "tokenId")
LIMIT = 64 * 1024
_ids = count(0x3F2504E0_4F89_11D3_9A0C_000000000000)
DEPTHS = (2, 31, 32, 33, 64, 500, 998, 1_000, 1_001, 5_000, 20_000, 32_000)


def request(port: int, **changed: Any) -> dict[str, Any]:
    """Return the fields of a valid request to the OCPP server at `port`, with a new id and with `changed` applied."""
    fields = {
        "id": str(UUID(int=next(_ids))),
        "chargerId": "CP-1",
        "tokenId": TOKEN,
        "serverIpAddress": "127.0.0.1",
        "serverRestApiPort": port,
    }
    return fields | changed


def in_json(fields: dict[str, Any]) -> bytes:
    """Return a JSON body. Values of type bytes are inserted unchanged; others are encoded as JSON."""
    pairs = (
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in fields.items()
    )
    return b"{" + b",".join(pairs) + b"}"


def in_xml(fields: dict[str, Any], before: bytes = b"", attributes: bytes = b"") -> bytes:
    """Return an XML body. Values of type bytes are inserted as markup; others are escaped as text."""
    elements = b"".join(
        b"<%b>%b</%b>"
        % (
            name.encode(),
            value if isinstance(value, bytes) else escape(str(value)).encode(errors="surrogatepass"),
            name.encode(),
        )
        for name, value in fields.items()
    )
    root = b"OcppChargerConnectRequest"
    return b'%b<%b xmlns="%b"%b>%b</%b>' % (before, root, MODELS.encode(), attributes, elements, root)


def in_form(fields: dict[str, Any]) -> bytes:
    """Return a form body. Values of type bytes are inserted unchanged; others are percent-encoded."""
    pairs = (
        name.encode()
        + b"="
        + (
            value
            if isinstance(value, bytes)
            else quote_from_bytes(str(value).encode(errors="surrogatepass")).encode()
        )
        for name, value in fields.items()
    )
    return b"&".join(pairs)


def numbers(port: int) -> Iterator[Hostile]:
    return _numbers(port, *FIELDS_WITHOUT_TOKEN)


def texts(port: int) -> Iterator[Hostile]:
    return _texts(port, *FIELDS_WITHOUT_TOKEN)


def tokens(port: int) -> Iterator[Hostile]:
    """Yield hostile tokens. They are a table of their own, because the log may contain the same text as a chargerId."""
    yield from _numbers(port, "tokenId")
    yield from _texts(port, "tokenId")


def _numbers(port: int, *fields: str) -> Iterator[Hostile]:
    for field in fields:
        for number in NUMBERS:
            name = f"{field} = {number[:20]}"
            bare = number.encode()
            yield with_body(f"{name}, a number", in_json(request(port, **{field: bare})), JSON)
            yield with_body(f"{name}, a string", in_json(request(port, **{field: number})), JSON)
            yield with_body(name, in_xml(request(port, **{field: number})), XML)
            yield with_body(name, in_form(request(port, **{field: number})), FORM)


def _texts(port: int, *fields: str) -> Iterator[Hostile]:
    for field in fields:
        for text in (*TEXTS, *(PATHS if field in ("chargerId", "serverIpAddress") else ())):
            name = f"{field} = {text[:20]!a}"
            raw = json.dumps(text, ensure_ascii=False).encode()
            yield with_body(f"{name}, escaped", in_json(request(port, **{field: text})), JSON)
            yield with_body(f"{name}, raw", in_json(request(port, **{field: raw})), "text/json")
            yield with_body(name, in_xml(request(port, **{field: text})), XML)
            references = "".join(f"&#{ord(character)};" for character in text[:500]).encode()
            yield with_body(f"{name}, by reference", in_xml(request(port, **{field: references})), "text/xml")
            yield with_body(name, in_form(request(port, **{field: text})), FORM)


def surrogates(port: int) -> Iterator[Hostile]:
    lone = (
        r"\ud83d",
        r"\udc00",
        r"\udc00\ud83d",
        r"a\ud83db",
        r"\ud83d\ud83d\ude00",
        r"\uD83D\u0041",
        r"\u",
        r"\u12",
        r"\uZZZZ",
    )
    raw = (
        b"\xed\xa0\xbd",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xff",
        b"\xfe\xff",
        b"\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x94",
        b"\xf4\x90\x80\x80",
        b"\xef\xbf\xbe",
    )
    points = (
        "#xD83D",
        "#xDC00",
        "#55357",
        "#x110000",
        "#0",
        "#x0",
        "#xFFFE",
        "#xFFFF",
        "#1",
        "#",
        "#x",
        "#-1",
        "#" + "9" * 5_000,
    )
    for field in FIELDS:
        for text in lone:
            yield with_body(
                f"{field} = {text}", in_json(request(port, **{field: b'"%b"' % text.encode()})), JSON
            )
            yield with_body(f"{text} in a name", in_json(request(port, **{f"{field}{text}": 1})), JSON)
        for octets in raw:
            yield with_body(
                f"{field} = {octets!r}", in_json(request(port, **{field: b'"' + octets + b'"'})), JSON
            )
            yield with_body(f"{field} = {octets!r}", in_xml(request(port, **{field: octets})), XML)
            yield with_body(f"{field} = {octets!r}", in_form(request(port, **{field: octets})), FORM)
            escaped = quote_from_bytes(octets, safe="").encode()
            yield with_body(
                f"{field} = {octets!r}, escaped", in_form(request(port, **{field: escaped})), FORM
            )
        for point in points:
            yield with_body(
                f"{field} = &{point[:9]};", in_xml(request(port, **{field: f"&{point};".encode()})), XML
            )


def depths(port: int) -> Iterator[Hostile]:
    for depth in DEPTHS:
        for opening, closing in (("[", "]"), ('{"id":', "}"), ('[{"a":', "}]")):
            nested = (opening * depth + "1" + closing * depth)[:LIMIT].encode()
            yield with_body(f"{opening} {depth} deep", nested, JSON)
            yield with_body(f"{opening} {depth} deep, never closed", (opening * depth)[:LIMIT].encode(), JSON)
            for field in ("id", "chargerId", "tokenId", "serverRestApiPort", "other"):
                body = in_json(request(port, **{field: nested}))[:LIMIT]
                yield with_body(f"{opening} {depth} deep in {field}", body, JSON)
        element = b"<a>" * depth + b"</a>" * depth
        yield with_body(f"elements {depth} deep", element[:LIMIT], XML)
        for field in ("chargerId", "other"):
            yield with_body(
                f"elements {depth} deep in {field}", in_xml(request(port, **{field: element}))[:LIMIT], XML
            )
        wide = b"<a/>" * depth
        yield with_body(f"{depth} elements", in_xml(request(port, other=wide))[:LIMIT], XML)
        same = b"<chargerId>CP-1</chargerId>" * depth
        yield with_body(
            f"{depth} duplicates", in_xml(request(port)).replace(b"</Ocpp", same + b"</Ocpp")[:LIMIT], XML
        )
        yield with_body(f"{depth} duplicates", (b"chargerId=CP-1&" * depth)[:LIMIT], FORM)
        yield with_body(
            f"{depth} keys", b"&".join(b"k%d=1" % number for number in range(depth))[:LIMIT], FORM
        )
        yield with_body(f"{depth} separators", (b"&" * depth)[:LIMIT], FORM)
        many_fields = {f"k{number}": number for number in range(depth)}
        yield with_body(f"{depth} fields", in_json(many_fields)[:LIMIT], JSON)
        spaces = b"".join(b' xmlns:n%d="urn:%d"' % (number, number) for number in range(depth))
        yield with_body(f"{depth} namespaces", in_xml(request(port), attributes=spaces)[:LIMIT], XML)
        attributes = b"".join(b' a%d="1"' % number for number in range(depth))
        yield with_body(f"{depth} attributes", in_xml(request(port), attributes=attributes)[:LIMIT], XML)


def malformed_xml(port: int) -> Iterator[Hostile]:
    laughs = b"".join(b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    long = b'<!ENTITY q "' + b"A" * 30_000 + b'">'
    subsets = {
        "a bare DOCTYPE": b"",
        "billion laughs": b'<!ENTITY l0 "ha">' + laughs,
        "quadratic blow-up": long,
        "an external entity": b'<!ENTITY l9 SYSTEM "file:///etc/passwd">',
        "an entity over HTTP": b'<!ENTITY l9 SYSTEM "http://169.254.169.254/latest/meta-data/">',
        "a parameter entity": b'<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;',
        "an internal parameter entity": b"<!ENTITY % p \"<!ENTITY l9 'x'>\"> %p;",
        "a recursive entity": b'<!ENTITY l9 "&l9;">',
        "attribute defaults": b'<!ATTLIST chargerId xmlns CDATA "urn:other">',
        "an element declaration": b"<!ELEMENT OcppChargerConnectRequest ANY>",
        "a notation": b'<!NOTATION n SYSTEM "calc.exe">',
    }
    for name, subset in subsets.items():
        for use in (b"&l9;", b"&q;" * 500, b"CP-1"):
            inside = b"<!DOCTYPE OcppChargerConnectRequest [" + subset + b"]>"
            yield with_body(name, in_xml(request(port, chargerId=use), inside), XML)
    for name, prolog in {
        "an external subset": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
        "a public subset": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">',
        "a lower-case doctype": b"<!doctype a>",
        "an unfinished DOCTYPE": b"<!DOCTYPE a [",
        "a stylesheet": b'<?xml-stylesheet href="file:///etc/passwd"?>',
        "an instruction": b"<?php echo 1 ?>",
        "two declarations": b'<?xml version="1.0"?><?xml version="1.0"?>',
        "a late declaration": b' <?xml version="1.0"?>',
        "XML 1.1": b'<?xml version="1.1"?>',
        "XML 2.0": b'<?xml version="2.0"?>',
        "standalone": b'<?xml version="1.0" standalone="maybe"?>',
        "a BOM twice": b"\xef\xbb\xbf\xef\xbb\xbf",
        "text first": b"x",
        "a comment first": b"<!-- -->",
        "a bad comment": b"<!-- -- -->",
        "a long comment": b"<!--" + b"x" * 60_000 + b"-->",
        "a NUL first": b"\x00",
    }.items():
        yield with_body(name, in_xml(request(port), prolog), XML)
        yield with_body(name, in_xml(request(port), prolog), "text/xml")
    good = in_xml(request(port))
    for name, body in {
        "text after the root": good + b"x",
        "two roots": good + good,
        "an instruction after the root": good + b"<?a?>",
        "an instruction inside": in_xml(request(port, chargerId=b"<?a b?>CP-1")),
        "XInclude": in_xml(
            request(
                port, chargerId=b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
            )
        ),
        "an unbound prefix": in_xml(request(port, chargerId=b"<x:y/>")),
        "the xml prefix bound": good.replace(b" xmlns=", b' xmlns:xml="urn:x" xmlns=', 1),
        "an empty prefix": good.replace(b" xmlns=", b' xmlns:p="" xmlns=', 1),
        "an attribute twice": good.replace(b" xmlns=", b' a="1" a="1" xmlns=', 1),
        "CDATA in CDATA": in_xml(request(port, chargerId=b"<![CDATA[<![CDATA[x]]>]]>")),
        "CDATA that never ends": in_xml(request(port, chargerId=b"<![CDATA[")),
        "a long name": b"<" + b"n" * 65_000 + b"/>",
        "a long attribute": good.replace(b" xmlns=", b' a="' + b"x" * 60_000 + b'" xmlns=', 1),
        "a nil root": good.replace(
            b" xmlns=", b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true" xmlns=', 1
        ),
        "the first half": good[: len(good) // 2],
        "an open tag": b"<",
        "an ampersand": b"&",
        "another root": good.replace(b"OcppChargerConnectRequest", b"OcppStatusResponse"),
        "no namespace": good.replace(MODELS.encode(), b""),
        "another namespace": good.replace(b"IO.Swagger", b"io.swagger"),
        "JSON": in_json(request(port)),
    }.items():
        yield with_body(name, body, XML)


def malformed_json(port: int) -> Iterator[Hostile]:
    good = in_json(request(port))
    for name, body in {
        "a NUL first": b"\x00" + good,
        "a NUL last": good + b"\x00",
        "a NUL inside": good.replace(b"CP-1", b"CP\x00-1"),
        "an escaped NUL": good.replace(b"CP-1", rb"CP\u0000-1"),
        "only NUL": b"\x00" * 1_000,
        "a BOM twice": b"\xef\xbb\xbf\xef\xbb\xbf" + good,
        "two documents": good + good,
        "text after": good + b"x",
        "an array around the object": b"[" + good + b"]",
        "a string around the object": json.dumps(good.decode()).encode(),
        "a comment": b"/* */" + good,
        "a trailing comma": good[:-1] + b",}",
        "single quotes": good.replace(b'"', b"'"),
        "no quotes": good.replace(b'"', b""),
        "an octal": in_json(request(port, serverRestApiPort=b"010")),
        "a bad escape": good.replace(b"CP-1", rb"CP\q1"),
        "a line end in a string": good.replace(b"CP-1", b"CP\r\n1"),
        "the first half": good[: len(good) // 2],
        "prototype pollution": in_json(request(port, __proto__={"tokenId": "x"}, constructor={})),
        "an empty name": in_json(request(port, **{"": 1})),
        "a long name": in_json({"n" * 65_000: 1}),
        "all letter cases": in_json(request(port, CHARGERID=1, cHARGERiD=[], chargerid=None)),
        "XML": in_xml(request(port)),
        "a form": in_form(request(port)),
        "only blanks": b" " * LIMIT,
        "a quote": b'"',
        "a brace": b"{",
        "a minus": b"-",
    }.items():
        yield with_body(name, body, JSON)
        yield with_body(name, body, "text/json")
    values: tuple[Any, ...] = (
        None,
        True,
        False,
        [],
        {},
        [[]],
        {"a": 1},
        "",
        " ",
        [1, 2],
        {"tokenId": TOKEN},
        0.1,
        -0.0,
    )
    for field in FIELDS:
        for value in values:
            yield with_body(f"{field} = {value!r}", in_json(request(port, **{field: value})), JSON)


def malformed_forms(port: int) -> Iterator[Hostile]:
    good = in_form(request(port))
    for name, body in {
        "only a key": b"chargerId",
        "only a value": b"=CP-1",
        "only equals": b"=" * 1_000,
        "percent alone": b"chargerId=%",
        "half an escape": b"chargerId=%e",
        "no hexadecimal": b"chargerId=%zz",
        "every escape": b"chargerId=" + b"".join(b"%%%02x" % number for number in range(256)),
        "every byte": b"chargerId=" + bytes(range(256)),
        "an escaped key": good.replace(b"chargerId", b"%63hargerId"),
        "arrays": good.replace(b"chargerId=", b"chargerId[]=") + b"&chargerId[0][a]=1",
        "semicolons": good.replace(b"&", b";"),
        "pluses": b"chargerId=" + b"+" * 60_000,
        "a NUL": good + b"&chargerId=%00",
        "a multipart body": b"--x\r\nContent-Disposition: form-data; name=chargerId\r\n\r\nCP-1\r\n--x--\r\n",
    }.items():
        yield with_body(name, body, FORM)


def sizes(port: int) -> Iterator[Hostile]:
    for size in (LIMIT - 1, LIMIT, LIMIT + 1, 100_000, 1_000_000):
        for filler in (b" ", b"\n", b"\x00", b"A", b"\xf0\x9f\x94\x8c", b"&", b"<", b"{", b'"', b"\\", b"%"):
            for media, write in ((JSON, in_json), (XML, in_xml), (FORM, in_form)):
                body = write(request(port))
                padding = (filler * size)[: size - len(body)]
                yield with_body(f"{size} bytes, {filler!r} after it", body + padding, media)
                yield with_body(f"{size} bytes, {filler!r} before it", padding + body, media)
            long = (filler * size)[: size - 400]
            yield with_body(
                f"{size} bytes of {filler!r} in a string",
                in_json(request(port, chargerId=b'"' + long + b'"')),
                JSON,
            )
            yield with_body(
                f"{size} bytes of {filler!r} in an element", in_xml(request(port, chargerId=long)), XML
            )
            yield with_body(
                f"{size} bytes of {filler!r} in a value", in_form(request(port, chargerId=long)), FORM
            )


def charsets(port: int) -> Iterator[Hostile]:
    """Yield bodies in every charset of Python, with and without its name in Content-Type or the XML declaration."""
    for charset in sorted(
        {
            *encodings.aliases.aliases.values(),
            "idna",
            "punycode",
            "undefined",
            "unicode_escape",
            "mbcs",
            "none",
        }
    ):
        label = charset.replace("_", "-")
        for media, write in ((JSON, in_json), (XML, in_xml), (FORM, in_form)):
            body = write(request(port, chargerId="CP-é-🔌" if media != FORM else "CP-1"))
            yield with_body(f"{charset} named only", body, f"{media}; charset={label}")
            yield with_body(f"{charset} named only, quoted", body, f'{media}; charset="{label}"')
            if (encoded := _encoded(body, charset)) is not None:
                yield with_body(f"{charset}", encoded, f"{media}; charset={label}")
                yield with_body(f"{charset}, not named", encoded, media)
        declared = b'<?xml version="1.0" encoding="%b"?>' % label.encode()
        yield with_body(f"{charset} declared", in_xml(request(port), declared), XML)
        if (encoded := _encoded(in_xml(request(port), declared), charset)) is not None:
            yield with_body(f"{charset}, declared", encoded, XML)


def _encoded(body: bytes, charset: str) -> bytes | None:
    try:
        encoded = codecs.encode(body.decode(), charset)
        return encoded if isinstance(encoded, bytes) else None
    except Exception:  # noqa: BLE001 - a codec may raise any exception
        return None
