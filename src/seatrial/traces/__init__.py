"""What instrumented programs record: OpenTelemetry's wire formats, and the conventions for model calls, as records.

`otlp` reads spans and log events from JSON and protobuf, `conventions` says what a span means (OpenTelemetry GenAI in
old and new names, OpenInference, traceAI, OpenLLMetry), `messages` turns every way of writing a chat into one,
`observation` is the record that comes out. Nothing here opens a file or a socket.
"""
