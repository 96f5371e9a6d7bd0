"""What to know before believing a verdict: parity, age, fragility, jump test, negative control, registration."""
