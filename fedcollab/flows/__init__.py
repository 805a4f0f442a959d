"""Acts that cross features: each in a file of its own."""
