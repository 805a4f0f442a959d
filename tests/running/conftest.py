"""Gives the tests of a running node the features' house."""

from tests.features.conftest import house

__all__ = ["house"]
