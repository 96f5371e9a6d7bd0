"""Other ways of running a suite: in looks, against itself, over settings, with examples; and its plan."""
