"""What is wrong with a suite: its cases, its rubrics, what past trials say of both, and how far the set has come."""
