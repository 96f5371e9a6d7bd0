"""Logs of production as a pool of cases: files of any tracer read in flat memory, joined, scrubbed, and written whole.

`files` opens logs and cuts them into records, `families` knows whose record it is, `openai`, `exports`, `rows` and
`spans` say what one means, `spool` keeps what was read until sessions can be joined, `turns` makes cases of them,
`pipeline` runs it all. What OpenTelemetry and its conventions mean is in `seatrial.traces`.
"""
