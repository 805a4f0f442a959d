"""What is sealed between named people and organisations: keys, the key ring, messages, files; nothing here knows what a case is."""
