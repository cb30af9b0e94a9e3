"""Trains EditFlow: gathers source, makes examples of edits, fits the tokenizer and the model."""
