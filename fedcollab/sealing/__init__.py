"""What is sealed between named people and organisations: keys, case keys, messages and files; nothing here knows what a case is."""
