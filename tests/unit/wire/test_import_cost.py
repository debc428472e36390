"""Importing and using `wire` imports xmltodict and the XML parsers for XML only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.wire.bodies import ID, xml

LAYER = Path(__file__).parents[3] / "layers" / "common"
JSON = f'{{"id":"{ID}"}}'.encode()
XML = {"xmltodict", "xml.sax", "pyexpat", "common.wire.xml_body"}


@pytest.mark.parametrize(
    ("use", "needs_xml"),
    [
        ("", False),
        (f"wire.read_request({JSON!r}, 'application/json')", False),
        (f"wire.read_request({f'id={ID}'.encode()!r}, 'application/x-www-form-urlencoded')", False),
        ("wire.write_response(wire.make_problem('charger-unknown', 'd'), wire.MediaType.JSON)", False),
        (f"wire.read_request({xml('').encode()!r}, 'text/xml')", True),
        ("wire.write_response(wire.make_problem('charger-unknown', 'd'), wire.MediaType.XML)", True),
    ],
)
def test_xmltodict_is_imported_only_for_xml(use: str, needs_xml: bool) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(LAYER)!r}); from common import wire; {use}\nprint(*sys.modules)"
    )
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (XML & set(completed.stdout.split())) == (XML if needs_xml else set())
