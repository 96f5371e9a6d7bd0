"""Following a suite's targets in production: what to run when, the trend, and whom to tell."""
