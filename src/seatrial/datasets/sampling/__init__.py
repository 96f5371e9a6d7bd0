"""From a pool of cases to a set: strata, near-duplicates, how many of each, which ones, and which split.

`stratify` names what a case is, `duplicates` finds what says the same, `allocate` says how many and which,
`split` deals them to build, test and sealed, `sample` does it all over a pool of any length.
"""
