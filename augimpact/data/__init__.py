"""What is swept: images, read once and checked."""
