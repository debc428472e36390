from __future__ import annotations

from tests.operations.conftest import _metrics_have_a_namespace, resources

__all__ = ["_metrics_have_a_namespace", "resources"]
