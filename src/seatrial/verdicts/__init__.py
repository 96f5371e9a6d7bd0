"""From scores to decisions: policy, paired comparison, gates, and what would settle an open question.

`compare` draws a trial's verdicts from its store, or from arrays; `judging` only decides, fast enough for simulation.
`frame` reads the numbers, `outcomes` and `evidence` hold one rubric's, `quality`, `gates` and `limits` decide on them,
`results` and `sentences` write down what was found, `slices`, `flips` and `arms` add the rest; all of it as `records`.
"""
