"""Stories: what a person has told, and what they have agreed to."""
