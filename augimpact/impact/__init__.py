"""What a sweep does to a classifier over a whole dataset: the table, curves with intervals, how far one may go."""
