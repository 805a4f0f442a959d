"""The library: resources that the sector finds again."""
