"""Print the template that imports the table of attempts and its secret, which a deleted stack left, into a new stack.

An import in CloudFormation cannot create other resources or run a transform, so the template has only these two.
`make deploy` of the whole template into the same stack follows. docs/runbook.md has every step.

python -m scripts.import_template KmsKeyArn=arn:... > import.json      with the parameters of the deployment that differ from the defaults
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from local.template import Resolver
from scripts.transform import extend, load

if TYPE_CHECKING:
    from collections.abc import Mapping

IMPORTED = ("AttemptsTable", "JournalSecret")


def import_template(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the template of the import. Raises KeyError for an unknown parameter."""
    source = load()
    for name in parameters:
        source["Parameters"][name]
    document = extend(source, parameters)
    resolver = Resolver(document, parameters)
    resources = {
        name: {
            **resolver.resolve(document["Resources"][name]),
            # An import requires a policy, and its rollback must not delete the imported resource.
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
        }
        for name in IMPORTED
    }
    return {"AWSTemplateFormatVersion": source["AWSTemplateFormatVersion"], "Resources": resources}


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    print(json.dumps(import_template(given), indent=2))


if __name__ == "__main__":
    main()
