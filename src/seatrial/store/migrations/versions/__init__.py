"""One file a revision: `upgrade` only, as a store is never taken back to an older version."""
