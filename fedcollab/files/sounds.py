"""Decides what a sound or film is by the first of its frames or boxes."""

from .binary import SeekableBinary

EMPTINESS = 1 << 16  # bytes that may stand between a label and the first frame
BRANDS = {
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"M4VP", b"MSNV", b"dash"),
    *(b"3gp4", b"3gp5", b"3gp6", b"M4A ", b"M4B "),
}
WEBM = b"\x42\x82"
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
KBITS = {  # by whether it is version 1: what the four bits of a frame of layer III say
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def look(head: bytes, reader: SeekableBinary, ending: str) -> str:
    """The code of the kind of sound or film that a file is, empty where it is none; between sound and film alone in the same wrapping
    the name's ending decides."""
    if head[4:8] == b"ftyp" and head[8:12] in BRANDS:
        return "m4a" if head[8:12] in (b"M4A ", b"M4B ") or ending == "m4a" else "mp4"
    if head.startswith(b"OggS") and len(head) > 27:
        first = head[27 + head[26] :]
        return "ogg" if first.startswith((b"OpusHead", b"\x01vorbis")) else ""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        place = head.find(WEBM, 4, 64)
        return "webm" if place > 0 and head[place + 2 : place + 7] == b"\x84webm" else ""
    return "mp3" if _is_mp3(head, reader) else ""


def _is_mp3(head: bytes, reader: SeekableBinary) -> bool:
    """Whether, behind a label if there is one, two frames follow each other."""
    start = 0
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] in (2, 3, 4) and all(byte < 128 for byte in head[6:10]):
        start = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    elif not _frame(head[:4]):
        return False
    reader.seek(start)
    piece = reader.read(EMPTINESS).lstrip(b"\0")
    length = _frame(piece[:4])
    return bool(length) and (len(piece) <= length or bool(_frame(piece[length : length + 4])))


def _frame(header: bytes) -> int:
    """How many bytes a frame of layer III takes by its header; 0 where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return 0
    kbits = KBITS[version == 3][bits]
    return (144 if version == 3 else 72) * kbits * 1000 // RATES[version][rate] + (header[2] >> 1 & 1)
