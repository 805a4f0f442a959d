"""The kernel: what every floor above stands on and what knows nothing of actors or features."""
