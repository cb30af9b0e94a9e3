"""Commands that this package adds to `editflow`."""
