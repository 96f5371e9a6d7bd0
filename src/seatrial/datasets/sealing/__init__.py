"""The sealed split of a set: its encrypted file, who opens it, and the ledger of whom it was shown to."""
