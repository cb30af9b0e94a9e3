"""The screens of the reviewer: the review itself, and what is asked or shown on top of it."""
