"""Decides how an address becomes a picture that a phone reads: drawn here, in the page itself, so that nobody else sees what it says."""


def qr(address: str) -> str:
    """An address as an inline SVG drawing without styles."""
    import segno  # few nodes draw one in their life

    return str(segno.make(address).svg_inline(scale=5, omitsize=False, title="QR", svgclass=None, lineclass=None))
