"""What an agent does: tool calls, trajectories, states, efficiency, repeated success."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "tool_calls": "seatrial.scorers.agents.tool_calls:ToolCalls",
}
"""Name: `module:class`."""
