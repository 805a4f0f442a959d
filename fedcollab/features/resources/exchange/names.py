"""Decides how names of authors are turned into the order in which they are read, and how one that must not be turned is written."""


def turned(text: str, *, suffix_second: bool = False) -> str:
    """ "Prak, Sokha" and "Berg, Hans, Jr." (with `suffix_second` "Berg, Jr., Hans") as people say them; one that ends in a comma, as others
    write organisations, is left as it is."""
    name = text.strip()
    if name.endswith(","):
        return name[:-1].strip()
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if len(parts) < 2:
        return name
    if suffix_second and len(parts) == 3:
        parts = [parts[0], parts[2], parts[1]]
    last, first, *rest = parts
    return ", ".join([f"{first} {last}", *rest])


def kept(name: str) -> str:
    """A name so written that `turned` gives it back."""
    return name + "," if "," in name else name


def several(text: str) -> list[str]:
    """The names in one cell of a table: a line each, or with semicolons or vertical lines between; with commas where each of three or
    more has more than one word."""
    for sign in ("\n", ";", "|"):
        if sign in text:
            return [turned(part) for part in text.split(sign) if part.strip()]
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > 2 and all(" " in part for part in parts):
        return parts
    return [turned(text)] if text.strip() else []


def joined(names: tuple[str, ...]) -> str:
    """Names as one cell of a table, a line each, so that `several` gives them back."""
    text = "\n".join(kept(name) for name in names)
    return text + "\n" if len(names) == 1 and any(sign in text for sign in ";|") else text
