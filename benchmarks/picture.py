"""The figures as bars: each peer as a multiple of the service. SVG, written by hand, for light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from benchmarks.programs import PEERS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figure

TITLES = {
    "cold_start": "Cold start",
    "cold_start_as_deployed": "Cold start as deployed",
    "init_cpu": "CPU until the first answer",
    "warm_cpu_json": "CPU a request",
    "overhead_p50": "Overhead, p50",
    "overhead_p99": "Overhead, p99",
    "memory": "Memory after 10,000 requests",
    "size": "Size",
    "dynamodb_calls": "DynamoDB calls",
    "capacity_units": "Capacity units",
}
_COLOURS = {SERVICE: "#0f766e", "bare": "#94a3b8", "powertools": "#d97706", "fastapi": "#7c3aed"}
_WIDTH, _LEFT, _BAR, _GAP, _TOP = 760, 220, 12, 16, 84
_LONGEST = 430


def draw(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    """An SVG document: one group of bars for each figure that the service and a peer have."""
    groups = [(title, figures[name]) for name, title in TITLES.items() if SERVICE in figures.get(name, {})]
    groups = [(title, of) for title, of in groups if len(of) > 1]
    most = max(
        (one["median"] / of[SERVICE]["median"] for _, of in groups for one in of.values()), default=1.0
    )
    parts: list[str] = []
    y = _TOP
    for title, of in groups:
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 11}" class="name">{escape(title)}</text>')
        for program in (SERVICE, *PEERS):
            if program not in of:
                continue
            one = of[program]
            ratio = one["median"] / of[SERVICE]["median"]
            width = max(2.0, ratio / most * _LONGEST)
            measured = f"{one['median']:.3g} {one['unit']}"
            label = f"{ratio:.1f} ×" if program != SERVICE else measured
            parts.append(
                f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{_COLOURS[program]}">'
                f"<title>{escape(program)}: {escape(measured)}</title></rect>"
                f'<text x="{_LEFT + width + 6:.1f}" y="{y + 10}" class="value">{escape(label)}</text>'
            )
            y += _BAR + 3
        y += _GAP
    return _FRAME.format(
        width=_WIDTH, height=y, left=_LEFT, legend=_legend(), bars="\n".join(parts), end=y - _GAP
    )


def _legend() -> str:
    parts, x = [], _LEFT
    for program in (SERVICE, *PEERS):
        parts.append(
            f'<rect x="{x}" y="52" width="12" height="12" rx="2" fill="{_COLOURS[program]}"/>'
            f'<text x="{x + 18}" y="62" class="value">{program}</text>'
        )
        x += 118
    return "\n".join(parts)


_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>Each program's cost as a multiple of the service's</title>
<style>
  text {{ font-family: system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1e293b; }}
  .head {{ font-size: 17px; font-weight: 600; }} .name {{ font-size: 13px; text-anchor: end; }} .value {{ font-size: 12px; }}
  .ground {{ fill: #ffffff; }} .axis {{ stroke: #cbd5e1; }}
  @media (prefers-color-scheme: dark) {{ text {{ fill: #e2e8f0; }} .ground {{ fill: #0f172a; }} .axis {{ stroke: #475569; }} }}
</style>
<rect class="ground" width="{width}" height="{height}"/>
<text x="24" y="32" class="head">The same job, as a multiple of what the service needs (shorter is better)</text>
{legend}
<line class="axis" x1="{left}" y1="76" x2="{left}" y2="{end}"/>
{bars}
</svg>
"""
