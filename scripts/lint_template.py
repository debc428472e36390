"""cfn-lint, with the rules for serverless resources, on the transformed template.

python -m scripts.lint_template      prints what it finds, and exits 1 if there is anything
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

from scripts.transform import REGION, load, transform

# WS1004 knows a log group by the function's name alone; a test holds each function to the group in its LoggingConfig. W2001 misses a
# parameter that SAM puts in itself; `sam validate --lint` looks for unused ones in the template as written.
CONFIG = ManualArgs(
    append_rules=["cfn_lint_serverless.rules"], ignore_checks=["WS1004", "W2001"], regions=[REGION]
)


def findings(transformed: dict[str, Any]) -> list[str]:
    """What is wrong with a template, one line each: the rule, its message and the place."""
    return sorted(
        f"{match.rule.id} {match.message} at {'/'.join(map(str, match.path or []))}"
        for match in lint(json.dumps(transformed, indent=1), config=CONFIG)
    )


if __name__ == "__main__":
    found = findings(transform(load()))
    print(*found, sep="\n", end="\n" * bool(found))
    sys.exit(bool(found))
