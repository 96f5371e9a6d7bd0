"""Files as cases: their formats, their fields, the blobs beside them, and every fault at its line."""
