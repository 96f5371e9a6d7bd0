"""What is wrong with a set of cases, told by pure functions: facts of the cases go in, findings come out."""
