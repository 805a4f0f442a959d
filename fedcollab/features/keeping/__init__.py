"""Decides how keepers set cases up and keep them open: led by pages, without training."""
