"""The templates as CloudFormation processes them: SAM's transform, run here, without AWS.

cfn-lint no longer transforms SAM templates, so `sam validate --lint` accepts a wrong reference in a function. cfn-lint rejects it
in the output of this module.

python -m scripts.transform > transformed.json      the transformed template.yaml
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
REGION = "eu-west-1"


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template as written, its tags (!Ref) in their long form ({"Ref": ...})."""
    template: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return template


def load_nested(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the templates that template.yaml nests, by the logical id of the nested stack. They need no transform."""
    return {
        name: load(TEMPLATE.parent / resource["Properties"]["TemplateURL"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }


def extend(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Apply the part of AWS::LanguageExtensions that matters here, which CloudFormation runs first: replace each !Ref of a
    parameter in the resources and globals by its value, or by its default where `parameters` has none.

    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-language-extensions.html
    """
    values = {name: entry.get("Default") for name, entry in template["Parameters"].items()} | dict(parameters)

    def value(node: Any) -> Any:
        if isinstance(node, list):
            return [value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.keys() == {"Ref"} and node["Ref"] in values:
            return values[node["Ref"]]
        return {name: value(item) for name, item in node.items()}

    return template | {name: value(template[name]) for name in ("Globals", "Resources")}


def transform(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template after SAM's transform.

    Paths of local code and of nested templates become URLs of S3, in the place of those that `sam package` writes.
    Raises InvalidDocumentException for a template that SAM rejects.
    """
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        for name, bucket in (
            ("CodeUri", "s3://bucket/"),
            ("ContentUri", "s3://bucket/"),
            ("TemplateURL", "https://bucket.s3.amazonaws.com/"),
        ):
            uri = resource["Properties"].get(name)
            if isinstance(uri, str) and not uri.startswith("s3://"):
                resource["Properties"][name] = bucket + uri
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    result: dict[str, Any] = translator.translate(template, {})
    return result


if __name__ == "__main__":
    print(json.dumps(transform(load()), indent=2))
