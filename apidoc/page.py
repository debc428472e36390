"""The help page: the OpenAPI document as one HTML file without external assets.

The page has the structure of the help pages of ASP.NET Web API.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final
from xml.dom import minidom

from apidoc.markdown import render_block, render_inline, render_table

Node = dict[str, Any]

_STATIC: Final = Path(__file__).parent / "static"
_TYPE_NAMES: Final = {
    "uuid": "globally unique identifier",
    "date-time": "date and time",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
}


def render_page(document: Node) -> str:
    """Return the help page of an OpenAPI document."""
    return _Page(document).render()


class _Page:
    """Renders one document."""

    def __init__(self, document: Node) -> None:
        self._document = document

    def render(self) -> str:
        style, script = ((_STATIC / name).read_text(encoding="utf-8") for name in ("help.css", "help.js"))
        operations = [
            (method.upper(), path, node)
            for path, methods in self._document["paths"].items()
            for method, node in methods.items()
        ]
        info = self._document["info"]
        return Template((_STATIC / "help.html").read_text(encoding="utf-8")).substitute(
            policy=escape(_build_policy(style, script)),
            style=style,
            script=script,
            title=escape(info["title"]),
            version=escape(info["version"]),
            summary=render_inline(info["summary"]),
            about=render_block(info["description"], "Problem types"),
            overview=render_table(
                "Operations",
                ["API", "Description"],
                [
                    [_render_link(method, path, node), render_inline(node["summary"])]
                    for method, path, node in operations
                ],
            ),
            security=render_table(
                "Credentials",
                ["Scheme", "Description"],
                [
                    [escape(name), render_inline(scheme["description"])]
                    for name, scheme in self._document["components"]["securitySchemes"].items()
                ],
            ),
            operations="\n".join(
                self._render_operation(method, path, node) for method, path, node in operations
            ),
        )

    def _render_operation(self, method: str, path: str, node: Node) -> str:
        id_ = node["operationId"]
        parts = [
            f'<section class="operation" aria-labelledby="{id_}">',
            f'<h2 id="{id_}"><span class="method">{method}</span> {escape(path.lstrip("/"))}</h2>',
            render_block(node["description"]),
            self._render_request(id_, node),
            self._render_response(id_, node),
        ]
        if id_ == "connect":
            parts.append(self._render_try_form(path))
        return "\n".join([*parts, "</section>"])

    def _render_request(self, id_: str, node: Node) -> str:
        parts = [f'<h3 id="{id_}-request">Request Information</h3>']
        parameters = [self._resolve(parameter) for parameter in node.get("parameters", ())]
        for place, title in (
            ("path", "URI Parameters"),
            ("query", "Query Parameters"),
            ("header", "Header Parameters"),
        ):
            rows = [
                self._describe_parameter(parameter) for parameter in parameters if parameter["in"] == place
            ]
            if rows or place == "path":
                parts.append(f"<h4>{title}</h4>")
                parts.append(_render_fields(f"{title} of {id_}", rows) if rows else "<p>None.</p>")
        parts.append("<h4>Body Parameters</h4>")
        body = node.get("requestBody")
        if body is None:
            return "\n".join([*parts, "<p>None.</p>"])
        schema = next(iter(body["content"].values()))["schema"]
        parts += [
            self._render_resource(schema),
            render_block(body["description"]),
            "<h4>Request Formats</h4>",
            self._render_formats(body["content"]),
        ]
        return "\n".join(parts)

    def _render_response(self, id_: str, node: Node) -> str:
        parts = [f'<h3 id="{id_}-response">Response Information</h3>']
        for status, response in node["responses"].items():
            content = response.get("content", {})
            if status.startswith("2"):
                parts += ["<h4>Resource Description</h4>", render_block(response["description"])]
                if content:
                    parts += [self._render_resource(next(iter(content.values()))["schema"])]
                    parts += ["<h4>Response Formats</h4>", self._render_formats(content)]
        parts += ["<h4>Status Codes</h4>", self._render_statuses(id_, node["responses"])]
        if headers := self._describe_headers(node["responses"]):
            parts += [
                "<h4>Response Headers</h4>",
                render_table(f"Headers of {id_}", ["Name", "Description"], headers),
            ]
        samples = [
            self._render_problem_samples(status, response)
            for status, response in node["responses"].items()
            if status >= "4"
        ]
        parts += ["<h4>Error Samples</h4>", *filter(None, samples)]
        return "\n".join(parts)

    def _render_statuses(self, id_: str, responses: Node) -> str:
        rows = [
            [
                status,
                render_block(response["description"]),
                ", ".join(f"<code>{media}</code>" for media in response.get("content", {})),
            ]
            for status, response in responses.items()
        ]
        return render_table(f"Status codes of {id_}", ["Status", "When", "Media types"], rows)

    def _describe_headers(self, responses: Node) -> list[list[str]]:
        statuses_by_header: dict[str, tuple[Node, list[str]]] = {}
        for status, response in responses.items():
            for name, reference in response.get("headers", {}).items():
                statuses_by_header.setdefault(name, (self._resolve(reference), []))[1].append(status)
        return [
            [escape(name), f"{render_inline(header['description'])} ({', '.join(statuses)})"]
            for name, (header, statuses) in statuses_by_header.items()
        ]

    def _render_problem_samples(self, status: str, response: Node) -> str:
        samples = []
        for media, node in response.get("content", {}).items():
            for reference in node.get("examples", {}).values():
                example = self._resolve(reference)
                samples.append(_render_sample(f"{example['summary']}, {media}", example["value"]))
        if not samples:
            return ""
        return f"<details><summary>Samples of {status}</summary><div>{''.join(samples)}</div></details>"

    def _render_formats(self, content: Node) -> str:
        """Render the samples of each format once, for all its media types: the first is visible, the others are collapsed."""
        formats: dict[str, list[str]] = {}
        for media in content:
            formats.setdefault(media.rpartition("/")[2].rpartition("+")[2], []).append(media)
        parts = []
        for media_types in formats.values():
            parts.append(f"<h5>{', '.join(media_types)}</h5>")
            examples = [
                self._resolve(reference) for reference in content[media_types[0]].get("examples", {}).values()
            ]
            for example in examples[:1]:
                parts.append(_render_sample("Sample", example["value"]))
            if others := [
                _render_sample(example["summary"], example["value"])
                for example in examples[1:]
                if "summary" in example
            ]:
                parts.append(
                    f"<details><summary>More samples</summary><div>{''.join(others)}</div></details>"
                )
        return "\n".join(parts)

    def _render_resource(self, schema: Node) -> str:
        name = schema.get("$ref", "").rpartition("/")[2]
        resolved = self._resolve(schema)
        if "properties" not in resolved:
            return f"<p>{escape(name or 'object')}</p>"
        required = resolved.get("required", ())
        rows = [
            [
                escape(field),
                render_inline(node.get("description", "")),
                self._describe_type(node),
                _describe_constraints(node, field in required),
            ]
            for field, node in resolved["properties"].items()
        ]
        return f"<p><strong>{escape(name)}</strong></p>{render_block(resolved.get('description', ''))}{_render_fields(name, rows)}"

    def _describe_parameter(self, parameter: Node) -> list[str]:
        schema = parameter["schema"]
        return [
            escape(parameter["name"]),
            render_inline(parameter["description"]),
            self._describe_type(schema),
            _describe_constraints(schema, parameter.get("required", False)),
        ]

    def _describe_type(self, node: Node) -> str:
        if "$ref" in node:
            return escape(node["$ref"].rpartition("/")[2])
        if "anyOf" in node:
            return " or ".join(
                dict.fromkeys(
                    self._describe_type(option) for option in node["anyOf"] if option.get("type") != "null"
                )
            )
        if node.get("type") == "array":
            return f"Collection of {self._describe_type(node['items'])}"
        types = node.get("type", "string")
        type_ = next((type_ for type_ in types if type_ != "null"), "") if isinstance(types, list) else types
        return _TYPE_NAMES.get(node.get("format", ""), type_)

    def _render_try_form(self, path: str) -> str:
        request = self._document["components"]["schemas"]["OcppChargerConnectRequest"]
        sample = self._document["components"]["examples"]["accepted.request.json"]["value"]
        content = self._document["paths"][path]["post"]
        fields = "".join(
            f"<label><span>{escape(name)} <small>{_describe_presence(request, name)}</small></span>"
            f'<input name="{escape(name)}" value="{escape(str(sample[name]))}" autocomplete="off" spellcheck="false"></label>'
            for name in request["properties"]
        )
        return Template((_STATIC / "try.html").read_text(encoding="utf-8")).substitute(
            path=escape(path),
            namespace=escape(request["xml"]["namespace"]),
            fields=fields,
            formats="".join(f"<option>{media}</option>" for media in content["requestBody"]["content"]),
            responses="".join(
                f"<option>{media}</option>" for media in content["responses"]["200"]["content"]
            ),
        )

    def _resolve(self, node: Node) -> Node:
        if "$ref" not in node:
            return node
        target: Any = self._document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**target, **{name: value for name, value in node.items() if name != "$ref"}}


def _render_link(method: str, path: str, node: Node) -> str:
    return f'<a href="#{node["operationId"]}">{method} {escape(path.lstrip("/"))}</a>'


def _render_fields(label: str, rows: list[list[str]]) -> str:
    return render_table(label, ["Name", "Description", "Type", "Additional information"], rows)


def _describe_constraints(node: Node, required: bool) -> str:
    parts = ["Required"] if required else []
    if "minLength" in node and "maxLength" in node:
        parts.append(f"Length: {node['minLength']} to {node['maxLength']}")
    elif "maxLength" in node:
        parts.append(f"Max length: {node['maxLength']}")
    if "minimum" in node:
        parts.append(
            f"Range: {node['minimum']} to {node['maximum']}"
            if "maximum" in node
            else f"At least {node['minimum']}"
        )
    if "default" in node:
        parts.append(f"Default: {node['default']}")
    if "const" in node or "enum" in node:
        values = [value for value in node.get("enum", [node.get("const")]) if value is not None]
        parts.append("One of " + ", ".join(f"<code>{escape(str(value))}</code>" for value in values))
    if "null" in node.get("type", ()) or any(
        option.get("type") == "null" for option in node.get("anyOf", ())
    ):
        parts.append("May be null")
    return "; ".join(parts) or "None."


def _describe_presence(request: Node, name: str) -> str:
    return "required" if name in request["required"] else "may be empty"


def _render_sample(caption: str, value: Any) -> str:
    return f"<figure><figcaption>{render_inline(caption)}</figcaption><pre>{escape(_indent(value))}</pre></figure>"


def _indent(value: Any) -> str:
    """Return a sample as text. JSON and XML are indented."""
    if not isinstance(value, str):
        return json.dumps(value, indent=2, ensure_ascii=False)
    if not value.startswith("<"):
        return value
    root = minidom.parseString(value).documentElement  # noqa: S318 - the samples come from this project
    assert root is not None
    return root.toprettyxml(indent="  ").strip()


def _build_policy(style: str, script: str) -> str:
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
