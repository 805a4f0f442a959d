"""Decides which keys belong to everybody: those printed in specifications, made of obvious seeds, or with which any signature passes."""

import hashlib

# SHA-256 of an Ed25519 key's 32 bytes, or of an RSA modulus.
SAMPLES = frozenset(
    (
        "b16c2d1bead1262639764fdb0ee4d3774599336bd493404cda4b1136c59f2062",  # RFC 9421, B.1.4
        "9af6159203e8509e0550defa50b312bd5a45c5e9ad956d09b43756d8fdd7e665",  # RFC 9421, B.1.1
        "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9",  # RFC 8032, 7.1, first
        "39f713d0a644253f04529421b9f51b9b08979d08295959c4f3990ee617f5139f",  # RFC 8032, 7.1, second
        "dac073e0123bdea59dd9b3bda9cf6037f63aca82627d7abcd5c4ac29dd74003e",  # RFC 8032, 7.1, third
        "28ea7b6e8769ab252bea2d0854bd0b3dd4419a0fd6d43ceff713386d0048704f",  # Data Integrity EdDSA Cryptosuites, B.1
        "139e3940e64b5491722088d9a0d741628fc826e09475d341a780acde3c4b8070",  # the seed is 32 times 00
        "34750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97e",  # 32 times 01
        "af822958f2d75afb91f8a8f4da253230d63bebf8c3ce8fa9a2e275c2cd35456e",  # 32 times ff
        "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c",  # 00 01 02 and so on
    )
)

# The eight points of Ed25519 of small order, in each spelling: there are signatures that pass for every text.
_PRIME = 2**255 - 19
_EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = frozenset(
    (value | sign << 255).to_bytes(32, "little")
    for value in (0, 1, _PRIME - 1, _PRIME, _PRIME + 1, _EIGHTH, _PRIME - _EIGHTH)
    for sign in (0, 1)
)


def is_everybodys(public: bytes) -> bool:
    """Whether an Ed25519 key's bytes, or an RSA modulus as bytes, are known to all or bind to nothing."""
    return hashlib.sha256(public).hexdigest() in SAMPLES or public in SMALL_ORDER
