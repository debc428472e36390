"""Run cfn-lint, with the rules for serverless resources, on the transformed template.yaml and on the nested templates.

python -m scripts.lint_template      prints the findings; exits 1 if there are any
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

from scripts.transform import REGION, load, load_nested, transform

# WS1004 recognises a log group by the function's name only; a test checks the group in each LoggingConfig. W2001 misses the parameters
# that SAM uses itself; `sam validate --lint` finds unused ones in the templates as written.
CONFIG = ManualArgs(
    append_rules=["cfn_lint_serverless.rules"], ignore_checks=["WS1004", "W2001"], regions=[REGION]
)


def findings(transformed: dict[str, Any]) -> list[str]:
    """Return the findings in a template, one line each: the rule, its message and the place."""
    return sorted(
        f"{match.rule.id} {match.message} at {'/'.join(map(str, match.path or []))}"
        for match in lint(json.dumps(transformed, indent=1), config=CONFIG)
    )


if __name__ == "__main__":
    source = load()
    found = [
        line for template in (transform(source), *load_nested(source).values()) for line in findings(template)
    ]
    print(*found, sep="\n", end="\n" * bool(found))
    sys.exit(bool(found))
