"""What an agent does: tool calls, trajectories, states, efficiency, repeated success."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "efficiency": "seatrial.scorers.agents.completion:Efficiency",
    "forbidden_calls": "seatrial.scorers.agents.call_limits:ForbiddenCalls",
    "loops": "seatrial.scorers.agents.course:Loops",
    "recovery": "seatrial.scorers.agents.recovery:Recovery",
    "redundant_steps": "seatrial.scorers.agents.course:RedundantSteps",
    "state": "seatrial.scorers.agents.state:State",
    "task_completion": "seatrial.scorers.agents.completion:TaskCompletion",
    "tool_arguments": "seatrial.scorers.agents.graded_calls:ToolArguments",
    "tool_calls": "seatrial.scorers.agents.tool_calls:ToolCalls",
    "tool_f1": "seatrial.scorers.agents.graded_calls:ToolF1",
    "tool_order": "seatrial.scorers.agents.order:ToolOrder",
    "unnecessary_calls": "seatrial.scorers.agents.call_limits:UnnecessaryCalls",
}
"""Name: `module:class`."""
