"""What people wrote beside and into the suite file, every fault at its line, and what was registered of it."""
