"""The terminal reviewer of proposals; not written yet."""
