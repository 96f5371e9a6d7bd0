"""A set of cases under version control: its folder, its commits, and whether it still looks like traffic."""
