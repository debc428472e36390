"""The template as CloudFormation sees it: SAM's transform, run here, without AWS.

cfn-lint no longer transforms SAM, so a wrong reference in a function passes `sam validate --lint`; it does not pass cfn-lint on
what this gives.

python -m scripts.transform > transformed.json
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
    """The template as written, its tags (!Ref) in their long form ({"Ref": ...})."""
    template: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return template


def extend(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """What matters here of AWS::LanguageExtensions, which CloudFormation runs first: each !Ref of a parameter in the resources
    and globals becomes its value, the default where `parameters` has none.

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
    """The template after SAM's transform. Local code stands as s3://bucket/<its path>, in the place of the hash of the code that
    `sam package` puts there. Raises InvalidDocumentException where SAM would refuse the template.
    """
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            uri = resource["Properties"].get(name)
            if isinstance(uri, str) and not uri.startswith("s3://"):
                resource["Properties"][name] = f"s3://bucket/{uri}"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    result: dict[str, Any] = translator.translate(template, {})
    return result


if __name__ == "__main__":
    print(json.dumps(transform(load()), indent=2))
