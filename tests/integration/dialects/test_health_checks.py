"""Each kind of OCPP server responds to its health check, which starts nothing and sends nothing to a charger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from charger_link import Circuits, Link, LinkServers
from charger_link.dialects import registry
from charger_link.secrets import Secrets
from common.transport import Deadline
from local.chargers import Behaviour, Reaction, charging
from local.csms import Options, serving
from local.running import in_thread
from local.simulators import CitrineOS, OcppCore, OcppCs, Steve
from tests.integration.dialects.link_client import running_simulator
from tests.integration.misbehaving import Misbehaving, hangs
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulators.serving import Model

DIALECTS = ("native", "steve", "citrineos", "ocpp-core", "ocpp-cs")
MODELS: dict[str, list[Callable[[], Model]]] = {
    "steve": [lambda: Steve("operator", "api password", 1.0)],
    "citrineos": [CitrineOS],
    "ocpp-core": [lambda: OcppCore("key", 1.0)],
    "ocpp-cs": [lambda: OcppCs(1, "", 1.0), lambda: OcppCs(2, "bearer", 1.0)],
}
SILENT = Behaviour("CP", reaction=Reaction.SILENT)


def is_suspect_after_check(name: str, port: int) -> bool:
    """Make the server suspect, send the check, and return whether it is still suspect. Raises CircuitOpen without a response."""
    entry = [{"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http", "dialect": name}]
    server = LinkServers.parse(json.dumps(entry)).find("127.0.0.1", port)
    circuits = Circuits()
    for charger in ("CP-1", "CP-2", "CP-3"):
        circuits.failed(server.name, charger)
    assert circuits.check(server.name)
    Link(circuits, Secrets.of(None)).check_server(server, Deadline.after(5))
    return bool(circuits._circuits[server.name].silent)


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, models in MODELS.items() for model in models]
)
def test_a_simulator_responds_to_it_with_any_credentials(name: str, model: Callable[[], Model]) -> None:
    with running_simulator(model(), SILENT) as (simulator, points):
        assert not is_suspect_after_check(name, simulator.port)
        assert points["CP"].starts == []


def test_the_native_server_responds_to_it() -> None:
    with (
        in_thread(serving(Options())) as csms,
        in_thread(charging([SILENT], csms.ocpp_url)) as points,
    ):
        eventually(lambda: csms.chargers.by_identity)
        assert not is_suspect_after_check("native", csms.rest_port)
        assert points["CP"].starts == []


@pytest.mark.parametrize("name", DIALECTS)
def test_it_is_a_get_that_contains_no_charger(name: str, server: Misbehaving) -> None:
    server.set_scripts(hangs)
    with pytest.raises(Exception, match="circuit-open"):
        is_suspect_after_check(name, server.port)
    (received,) = server.requests
    assert (received.method, received.body) == ("GET", b"")
    assert received.path.endswith(registry.load(name).health_path)
    assert "CP-" not in received.path
