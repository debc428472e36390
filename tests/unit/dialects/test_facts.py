"""Every dialect declares all of its facts, and facts that belong together."""

from __future__ import annotations

import ast
import importlib
import inspect

import pytest

from charger_link.dialects import registry

TIMES = {
    "native": (25, 120),
    "steve": (30, 120),
    "citrineos": (30, 120),
    "ocpp-core": (60, 60),
    "ocpp-cs": (60, 60),
}
FOLLOW_UPS = {
    "native": {"find", "stop"},
    "steve": {"find", "read_transaction", "stop"},
    "citrineos": {"read_transaction", "stop", "read_stop_callback"},
    "ocpp-core": set[str](),
    "ocpp-cs": set[str](),
}


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_times_of_each_dialect_are_those_of_its_server(name: str) -> None:
    dialect = registry.load(name)
    assert (dialect.wait, dialect.delivery) == TIMES[name]
    assert 0 < dialect.wait <= dialect.delivery


@pytest.mark.parametrize("name", registry.NAMES)
def test_each_dialect_finds_and_stops_what_its_server_can(name: str) -> None:
    dialect = registry.load(name)
    members = ("find", "read_transaction", "stop", "read_stop_callback")
    assert {member for member in members if getattr(dialect, member) is not None} == FOLLOW_UPS[name]


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_stop_has_what_it_needs(name: str) -> None:
    dialect = registry.load(name)
    if dialect.stop is None:
        assert not dialect.stops_by_id
        assert dialect.read_transaction is None
    else:  # a transaction is read again before it is stopped
        assert dialect.stops_by_id is (dialect.read_transaction is None)
        assert (dialect.read_stop_callback is None) is (dialect.read_callback is None)


@pytest.mark.parametrize("module", registry.MODULES.values())
def test_each_function_that_is_loaded_later_exists(module: str) -> None:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    loaded = [
        call
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "load_later"
    ]
    for call in loaded:
        keyword = next(
            keyword.arg
            for keyword in ast.walk(tree)
            if isinstance(keyword, ast.keyword) and keyword.value is call
        )
        function = call.args[1]
        assert isinstance(function, ast.Constant)
        assert function.value == keyword
        assert callable(getattr(importlib.import_module(f"{module}_records"), str(keyword)))
