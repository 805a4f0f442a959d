"""The rooms of deploy/dev: what it says, where it installs, what it needs, how it tests."""
