"""A classifier and a batch in, scores and maps out."""
