"""In and out: bibliographies read into the library, and written from it."""
