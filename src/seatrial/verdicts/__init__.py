"""From scores to decisions: policy, paired comparison, gates, and what would settle an open question.

`compare` draws a trial's verdicts from its store, or from arrays, as `records`. `reading` takes the numbers from the
store, `engine` decides on them, `checks` say what to know before believing it, `artefacts` write it down, `questions`
ask the same numbers something else: a plan, the economics, a ranking.
"""
