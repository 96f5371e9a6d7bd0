"""Further questions to the same numbers: planning, economics, ranking, sweeps, the same target at two times."""
