"""Decides what is counted of the writer's work: how many groups and units, and how long a group took from BEGIN to COMMIT."""

BOUNDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0)  # seconds; what took longer counts in the last place


class Tally:
    """Written by the writer's thread alone; who reads it may be one group behind."""

    __slots__ = ("groups", "seconds", "units")

    def __init__(self) -> None:
        self.groups = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.units = 0

    def add(self, seconds: float, units: int) -> None:
        """Counts a group of so many units."""
        place = 0
        while place < len(BOUNDS) and seconds > BOUNDS[place]:
            place += 1
        self.groups[place] += 1
        self.seconds += seconds
        self.units += units
