"""Decides by which keywords a record keeps what a format has no place for; `matching.tags` reads them again."""

from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import TOPICS


def of(record: Record, label: str) -> list[str]:
    """The topics by their English names, then what only we read."""
    topics = [TOPICS[code] for code in record.topics if code in TOPICS]
    said = (("kind", record.kind), ("licence", record.licence), ("review", record.review_on))
    rest = [f"{name}:{value}" for name, value in said if value]
    return [*topics, *(f"country:{code}" for code in record.countries), *rest, *([label] if label else [])]
