"""What a file is, how it comes in and goes out, and what is shown of it; who may read one is said by the features that hold it."""
