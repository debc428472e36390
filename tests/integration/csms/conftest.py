from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local.chargers import Behaviour, ChargePoint, charging
from local.csms import Csms, Options, serving
from local.running import in_thread
from tests.integration.csms.client import Rest
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type_of_plug = Callable[[Behaviour], ChargePoint]


@pytest.fixture
def options() -> Options:
    return Options(known=("CP-3",))


@pytest.fixture
def csms(options: Options) -> Iterator[Csms]:
    with in_thread(serving(options)) as csms:
        yield csms


@pytest.fixture
def rest(csms: Csms) -> Rest:
    return Rest(csms.rest_url)


@pytest.fixture
def plug(csms: Csms, rest: Rest) -> Iterator[type_of_plug]:
    """Run a charge point with a behaviour until the test ends. Return it once the server knows its status."""
    with ExitStack() as stack:

        def start(behaviour: Behaviour) -> ChargePoint:
            chargers = stack.enter_context(in_thread(charging([behaviour], csms.ocpp_url)))
            if behaviour.online:
                eventually(lambda: rest.status(behaviour.identity).outcome not in UNREADY)
            return chargers[behaviour.identity]

        yield start


UNREADY = {(404, "charger-unknown"), (200, "Unavailable"), (504, "status-unknown")}
