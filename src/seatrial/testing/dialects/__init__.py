"""The wire formats that the fake provider speaks, one module each, all of the shape of `base.Dialect`."""
