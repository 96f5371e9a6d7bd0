"""Everything kept: datasets, outputs, scores, runs and trials. SQLite now; other engines behind the same contract.

`schema` holds the tables, `migrations` their history, `engine` opens a database, `store` reads and keeps datasets and
trials, `writer` is the one thread that commits outputs and scores in groups.
"""
