"""What the documentation says of each scorer, made from its class, its card and its results."""
