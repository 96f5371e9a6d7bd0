"""Frozen records (the words of the project), Protocols for plug points, identity hashing, the suite's shape.

No I/O lives here, and nothing here knows a provider, a database or a terminal.
"""
