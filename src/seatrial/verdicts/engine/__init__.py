"""Deciding: one rubric's results as arrays, the method that fits them, what follows. Pure, and fast in simulation."""
