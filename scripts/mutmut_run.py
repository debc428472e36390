"""Run mutmut in the current folder, and report what it found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice

import libcst
from libcst import matchers
from mutmut.__main__ import _reset_mutant_results, _run, collect_source_file_mutation_data
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators, operator_string
from mutmut.stats import status_by_exit_code

from scripts.surviving_mutants import reason

LEAST_SCORE = 95.0  # per cent
_PROCESSES = 2
# Texts for people, which no test has to repeat: what these calls receive and these names hold, if it has a blank.
_TEXTS_OF: matchers.BaseMatcherNode = matchers.Name() & matchers.MatchIfTrue(
    lambda node: (
        node.value.endswith(("Error", "Unusable"))
        or node.value
        in {
            "ChargerUnknown",
            "CircuitOpen",
            "OutcomeUnknown",
            "ServerBusy",
            "ServerFailed",
            "ServerRefused",
            "StatusNotAvailable",
            "Unreachable",
            "_error",
            "make_problem",
        }
    )
)
_TEXT_NAMES = {"detail", "missing", "zeros"}


def main() -> int:
    patterns = sys.argv[1:]
    _leave_texts()
    _change_strings_once()
    if not patterns:  # results of an earlier run stay, but tests that were added may kill its survivors
        _reset_mutant_results(lambda _, exit_code: status_by_exit_code[exit_code] != "killed")
    _run(patterns, _PROCESSES)
    return int(_report(patterns) < LEAST_SCORE)


def _leave_texts() -> None:
    """Have mutmut make no mutants of the texts for people.

    Its own setting leaves out whole lines, and with them the words for programs that stand beside a text.
    """
    visit = MutationVisitor.on_visit
    texts: set[int] = set()

    def on_visit(self: MutationVisitor, node: libcst.CSTNode) -> bool:
        texts.update(id(text) for text in _texts(node))
        return id(node) not in texts and visit(self, node)

    MutationVisitor.on_visit = on_visit  # type: ignore[method-assign]


def _change_strings_once() -> None:
    """Have mutmut make one mutant of a string, not three: what notices other text notices other letter case."""
    once = [
        (kind, (lambda node: islice(operator_string(node), 1)) if operator is operator_string else operator)
        for kind, operator in mutation_operators
    ]
    mutation_operators[:] = once  # type: ignore[index]


def _texts(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    if isinstance(node, libcst.Call) and matchers.matches(node.func, _TEXTS_OF):
        held: tuple[libcst.CSTNode, ...] = tuple(argument.value for argument in node.args)
    elif isinstance(node, libcst.Assign) and any(
        isinstance(target.target, libcst.Name) and target.target.value in _TEXT_NAMES
        for target in node.targets
    ):
        held = (node.value,)
    else:
        return
    for one in held:
        if isinstance(one, libcst.SimpleString | libcst.ConcatenatedString | libcst.IfExp):
            strings = matchers.findall(one, matchers.SimpleString())
            yield from (
                text for text in strings if " " in libcst.ensure_type(text, libcst.SimpleString).value
            )


def _report(patterns: list[str]) -> float:
    """Print the score and each mutant that was not killed, with its reason; return the score in per cent."""
    mutants, _ = collect_source_file_mutation_data(mutant_names=patterns)
    killed, unexplained = 0, 0
    for data, name, exit_code in mutants:
        status = status_by_exit_code[exit_code]
        if status == "killed":
            killed += 1
            continue
        diff = get_diff_for_mutant(name, path=data.path)
        changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
        why = reason(name, changed)
        unexplained += why is None
        print(f"\n{status}: {name}", *changed, f"  {why or 'NO REASON IS LISTED'}", sep="\n")
    score = 100 * killed / len(mutants)
    print(f"\n{killed} of {len(mutants)} mutants killed: {score:.1f} %; {unexplained} others have no reason.")
    return score


if __name__ == "__main__":
    sys.exit(main())
