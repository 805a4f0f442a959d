"""Cases: sealed work between named organisations."""
