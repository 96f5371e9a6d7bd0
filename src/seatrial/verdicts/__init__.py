"""From scores to decisions: policy, paired comparison, gates, and what would settle an open question.

`records` is what a verdict says, `frame` the numbers it is drawn from, `compare` draws it.
"""
