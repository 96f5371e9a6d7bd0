"""The command line: one file a command group. Each parses, calls one function and prints.

Exit codes: 0 done or ship · 1 blocked and 3 inconclusive (only from `gate`, and with `--exit-code`) · 2 usage or
configuration · 4 not evaluable · 70 internal error · 130 interrupted.
"""
