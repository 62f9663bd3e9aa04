"""What a dataset is like: one pass over it, panels and reports out."""
