"""Whether a change may go in: the gate, what the change proposes, and under which rules."""
