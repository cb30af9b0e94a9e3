"""Data for training: records, compact shards, corruption drawn afresh every epoch, and batches."""
