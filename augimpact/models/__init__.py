"""A model with what belongs to it: its preprocessing, the names of its outputs, the layer to explain."""
