"""Personal data and secrets replaced before anything is stored.

`scrub.Scrubber` replaces them in a case or a text; `policy` says what is looked for and what happens to what cannot be
read; `names`, `numbers`, `dates` and `surrogates` make the values put in their place; `walk` finds every text of a
record; `mapping` keeps what stood where, encrypted; `report` is for the person who reviews it; `pool` scrubs a file.
"""
