"""The features, side by side; none imports another."""
