"""The simulators, by the name under which `make run` starts each one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.simulators.citrineos import CitrineOS
from local.simulators.ocpp_core import OcppCore
from local.simulators.ocpp_cs import OcppCs
from local.simulators.steve import Steve

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulators.serving import Model

DIALECTS: dict[str, Callable[[], Model]] = {
    "steve": Steve,
    "citrineos": CitrineOS,
    "ocpp-core": OcppCore,
    "ocpp-cs": OcppCs,
}
"""One simulator for each dialect of LinkServers that is not native."""

MODELS = DIALECTS | {"ocpp-cs-2": lambda: OcppCs(version=2)}
"""All of them: a server whose versions differ has one for each."""
