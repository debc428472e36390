"""The help page, from the OpenAPI document alone, in the manner of ASP.NET's Web API help pages. One file, no outside assets."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final
from xml.dom import minidom

from apidoc.markdown import block, inline, table

Node = dict[str, Any]

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    "uuid": "globally unique identifier",
    "date-time": "date and time",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
}
_LANGUAGES: Final = {"json": "JSON", "xml": "XML", "x-www-form-urlencoded": "form"}


class Page:
    """Renders one document."""

    def __init__(self, document: Node) -> None:
        self._document = document

    def html(self) -> str:
        """The whole page."""
        style, script = ((_STATIC / name).read_text(encoding="utf-8") for name in ("help.css", "help.js"))
        operations = [
            (method.upper(), path, node)
            for path, methods in self._document["paths"].items()
            for method, node in methods.items()
        ]
        info = self._document["info"]
        return Template((_STATIC / "help.html").read_text(encoding="utf-8")).substitute(
            policy=escape(_policy(style, script)),
            style=style,
            script=script,
            title=escape(info["title"]),
            version=escape(info["version"]),
            summary=inline(info["summary"]),
            about=block(info["description"], "Problem types"),
            overview=table(
                "Operations",
                ["API", "Description"],
                [[_link(method, path, node), inline(node["summary"])] for method, path, node in operations],
            ),
            security=table(
                "Credentials",
                ["Scheme", "Description"],
                [
                    [escape(name), inline(scheme["description"])]
                    for name, scheme in self._document["components"]["securitySchemes"].items()
                ],
            ),
            operations="\n".join(self._operation(method, path, node) for method, path, node in operations),
        )

    def _operation(self, method: str, path: str, node: Node) -> str:
        id_ = node["operationId"]
        parts = [
            f'<section class="operation" aria-labelledby="{id_}">',
            f'<h2 id="{id_}"><span class="method">{method}</span> {escape(path.lstrip("/"))}</h2>',
            block(node["description"]),
            self._request(id_, node),
            self._response(id_, node),
        ]
        if id_ == "connect":
            parts.append(self._try(path))
        return "\n".join([*parts, "</section>"])

    def _request(self, id_: str, node: Node) -> str:
        parts = [f'<h3 id="{id_}-request">Request Information</h3>']
        parameters = [self._resolved(parameter) for parameter in node.get("parameters", ())]
        for place, title in (
            ("path", "URI Parameters"),
            ("query", "Query Parameters"),
            ("header", "Header Parameters"),
        ):
            rows = [self._parameter(parameter) for parameter in parameters if parameter["in"] == place]
            if rows or place == "path":
                parts.append(f"<h4>{title}</h4>")
                parts.append(_members(f"{title} of {id_}", rows) if rows else "<p>None.</p>")
        parts.append("<h4>Body Parameters</h4>")
        body = node.get("requestBody")
        if body is None:
            return "\n".join([*parts, "<p>None.</p>"])
        schema = next(iter(body["content"].values()))["schema"]
        parts += [
            self._resource(schema),
            block(body["description"]),
            "<h4>Request Formats</h4>",
            self._formats(body["content"]),
        ]
        return "\n".join(parts)

    def _response(self, id_: str, node: Node) -> str:
        parts = [f'<h3 id="{id_}-response">Response Information</h3>']
        for status, response in node["responses"].items():
            content = response.get("content", {})
            if status.startswith("2"):
                parts += ["<h4>Resource Description</h4>", block(response["description"])]
                if content:
                    parts += [self._resource(next(iter(content.values()))["schema"])]
                    parts += ["<h4>Response Formats</h4>", self._formats(content)]
        parts += ["<h4>Status Codes</h4>", self._statuses(id_, node["responses"])]
        if headers := self._headers(node["responses"]):
            parts += [
                "<h4>Response Headers</h4>",
                table(f"Headers of {id_}", ["Name", "Description"], headers),
            ]
        problems = [
            self._problem(status, response) for status, response in node["responses"].items() if status >= "4"
        ]
        parts += ["<h4>Error Samples</h4>", *filter(None, problems)]
        return "\n".join(parts)

    def _statuses(self, id_: str, responses: Node) -> str:
        rows = [
            [
                status,
                block(response["description"]),
                ", ".join(f"<code>{media}</code>" for media in response.get("content", {})),
            ]
            for status, response in responses.items()
        ]
        return table(f"Status codes of {id_}", ["Status", "When", "Media types"], rows)

    def _headers(self, responses: Node) -> list[list[str]]:
        found: dict[str, tuple[Node, list[str]]] = {}
        for status, response in responses.items():
            for name, reference in response.get("headers", {}).items():
                found.setdefault(name, (self._resolved(reference), []))[1].append(status)
        return [
            [escape(name), f"{inline(header['description'])} ({', '.join(statuses)})"]
            for name, (header, statuses) in found.items()
        ]

    def _problem(self, status: str, response: Node) -> str:
        samples = []
        for media, node in response.get("content", {}).items():
            for reference in node.get("examples", {}).values():
                example = self._resolved(reference)
                samples.append(_sample(f"{example['summary']}, {media}", example["value"]))
        if not samples:
            return ""
        return f"<details><summary>Samples of {status}</summary><div>{''.join(samples)}</div></details>"

    def _formats(self, content: Node) -> str:
        """Media types that share a format share its samples: the first is shown, the others fold away."""
        formats: dict[str, list[str]] = {}
        for media in content:
            formats.setdefault(media.rpartition("/")[2].rpartition("+")[2], []).append(media)
        parts = []
        for media_types in formats.values():
            parts.append(f"<h5>{', '.join(media_types)}</h5>")
            examples = [
                self._resolved(reference)
                for reference in content[media_types[0]].get("examples", {}).values()
            ]
            for example in examples[:1]:
                parts.append(_sample("Sample", example["value"]))
            if others := [
                _sample(example["summary"], example["value"])
                for example in examples[1:]
                if "summary" in example
            ]:
                parts.append(
                    f"<details><summary>More samples</summary><div>{''.join(others)}</div></details>"
                )
        return "\n".join(parts)

    def _resource(self, schema: Node) -> str:
        name = schema.get("$ref", "").rpartition("/")[2]
        found = self._resolved(schema)
        if "properties" not in found:
            return f"<p>{escape(name or 'object')}</p>"
        required = found.get("required", ())
        rows = [
            [
                escape(member),
                inline(node.get("description", "")),
                self._type(node),
                _additional(node, member in required),
            ]
            for member, node in found["properties"].items()
        ]
        return f"<p><strong>{escape(name)}</strong></p>{block(found.get('description', ''))}{_members(name, rows)}"

    def _parameter(self, parameter: Node) -> list[str]:
        schema = parameter["schema"]
        return [
            escape(parameter["name"]),
            inline(parameter["description"]),
            self._type(schema),
            _additional(schema, parameter.get("required", False)),
        ]

    def _type(self, node: Node) -> str:
        if "$ref" in node:
            return escape(node["$ref"].rpartition("/")[2])
        if "anyOf" in node:
            return " or ".join(
                dict.fromkeys(self._type(kind) for kind in node["anyOf"] if kind.get("type") != "null")
            )
        if node.get("type") == "array":
            return f"Collection of {self._type(node['items'])}"
        kinds = node.get("type", "string")
        kind = next((kind for kind in kinds if kind != "null"), "") if isinstance(kinds, list) else kinds
        return _TYPES.get(node.get("format", ""), kind)

    def _try(self, path: str) -> str:
        request = self._document["components"]["schemas"]["OcppChargerConnectRequest"]
        sample = self._document["components"]["examples"]["accepted.request.json"]["value"]
        content = self._document["paths"][path]["post"]
        fields = "".join(
            f"<label><span>{escape(name)} <small>{_short(request, name)}</small></span>"
            f'<input name="{escape(name)}" value="{escape(str(sample[name]))}" autocomplete="off" spellcheck="false"></label>'
            for name in request["properties"]
        )
        return Template((_STATIC / "try.html").read_text(encoding="utf-8")).substitute(
            path=escape(path),
            namespace=escape(request["xml"]["namespace"]),
            fields=fields,
            formats="".join(f"<option>{media}</option>" for media in content["requestBody"]["content"]),
            answers="".join(f"<option>{media}</option>" for media in content["responses"]["200"]["content"]),
        )

    def _resolved(self, node: Node) -> Node:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**found, **{name: value for name, value in node.items() if name != "$ref"}}


def _link(method: str, path: str, node: Node) -> str:
    return f'<a href="#{node["operationId"]}">{method} {escape(path.lstrip("/"))}</a>'


def _members(label: str, rows: list[list[str]]) -> str:
    return table(label, ["Name", "Description", "Type", "Additional information"], rows)


def _additional(node: Node, required: bool) -> str:
    found = ["Required"] if required else []
    if "minLength" in node and "maxLength" in node:
        found.append(f"Length: {node['minLength']} to {node['maxLength']}")
    elif "maxLength" in node:
        found.append(f"Max length: {node['maxLength']}")
    if "minimum" in node:
        found.append(
            f"Range: {node['minimum']} to {node['maximum']}"
            if "maximum" in node
            else f"At least {node['minimum']}"
        )
    if "default" in node:
        found.append(f"Default: {node['default']}")
    if "const" in node or "enum" in node:
        values = [value for value in node.get("enum", [node.get("const")]) if value is not None]
        found.append("One of " + ", ".join(f"<code>{escape(str(value))}</code>" for value in values))
    kinds = node.get("type", ())
    if "null" in kinds or any(kind.get("type") == "null" for kind in node.get("anyOf", ())):
        found.append("May be null")
    return "; ".join(found) or "None."


def _short(request: Node, name: str) -> str:
    return "required" if name in request["required"] else "may be empty"


def _sample(caption: str, value: Any) -> str:
    return f"<figure><figcaption>{inline(caption)}</figcaption><pre>{escape(_readable(value))}</pre></figure>"


def _readable(value: Any) -> str:
    """JSON and XML indented, to be read."""
    if not isinstance(value, str):
        return json.dumps(value, indent=2, ensure_ascii=False)
    if not value.startswith("<"):
        return value
    root = minidom.parseString(value).documentElement  # noqa: S318 - our own sample
    assert root is not None
    return root.toprettyxml(indent="  ").strip()


def _policy(style: str, script: str) -> str:
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
