"""What a person touches: the player, the controls, and both as one page."""
