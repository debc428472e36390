"""README.md shows what its commands print, docs/deploy.md marks what needs AWS, and every link has a target."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from apidoc.generate import ROOT
from charger_link import LinkServer, LinkServers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.documentation.stack import Stack

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
DEPLOY: Final = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_AWS: Final = re.compile(r"^ {4}make (?:build|deploy)\b.*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """A command for the local stack, and the response that README.md shows directly after it, if any."""

    text: str
    response: str | None

    def __str__(self) -> str:
        return next(iter(re.findall(r"CP-\d|[0-9a-f-]{36}", self.text)), self.text[:30])


def commands() -> list[Command]:
    blocks = list(_BLOCK.finditer(README))
    commands_ = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block[1] == "sh" and "127.0.0.1" in block[2]:
            shown = following is not None and following[1] in ("json", "xml")
            shown = shown and README[block.end() : following.start()].strip() == ""  # type: ignore[union-attr]
            commands_.append(Command(block[2], following[2].strip() if shown and following else None))
    return commands_


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_command_returns_what_the_readme_shows(command: Command, stack: Stack) -> None:
    if "CP-1" in command.text:
        stack.wait_until_available("CP-1")
    if "CP-5" in command.text:
        stack.silent_charger_responses()  # wait: the fixture's own calls have the same id
    for line in command.text.replace("\\\n", " ").splitlines():
        done = subprocess.run(
            ["bash", "-euc", stack.ports.localize(line)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        if command.response is not None:
            assert done.stdout == stack.ports.localize(command.response)
        else:
            assert json.loads(done.stdout).keys() & {"attempts", "state", "status"}


def test_the_readme_shows_at_least_four_responses() -> None:
    assert sum(command.response is not None for command in commands()) >= 4


def test_the_examples_of_link_servers_are_valid() -> None:
    examples = [block[2] for block in _BLOCK.finditer(README) if block[2].startswith('[{"network"')]
    examples += re.findall(r"LINK_SERVERS='(\[.*?\])'", README)
    assert len(examples) > 1
    for text in examples:
        assert LinkServers.parse(text)


def test_every_field_of_link_servers_is_documented() -> None:
    rows = "".join(re.findall(r"^(\|.*?\|)", README, re.MULTILINE))
    fields = {field.alias for field in LinkServer.model_fields.values()}
    assert {field for field in fields if f"`{field}`" not in rows} == set()


def test_commands_that_need_an_aws_account_are_marked() -> None:
    lines = [line for line in _AWS.findall(DEPLOY) if "deploy" in line]
    assert lines
    assert all("AWS account" in line for line in lines)


def test_every_relative_link_has_a_target() -> None:
    pages = [*ROOT.glob("*.md"), ROOT / "events" / "README.md", *ROOT.glob("docs/**/*.md")]
    missing = []
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            if "://" in target or (file.exists() and (not anchor or anchor in anchors(file))):
                continue
            missing.append(f"{page.relative_to(ROOT)} -> {target}")
    assert missing == []


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub derives from the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_links_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".yaml")]
    linked = {path for path in pages if f"({path.relative_to(ROOT / 'docs').as_posix()})" in index}
    assert [path.name for path in pages if path not in linked and path.name != "README.md"] == []
