"""Decides how cases and the people in them are called: by random syllables that can be said on the phone and come from nothing.

Twelve consonants and four vowels, none of which looks like another of them in print or in a hurried hand: no d beside b, no m beside n,
no v beside u, no l, i or j. Six syllables are 33 bits; a code names within one case or one organisation and is no secret.
"""

import re
import secrets

CONSONANTS, VOWELS = "bfghkmprstwz", "aeou"
EACH, GROUPS = 3, 2  # syllables in a group
SYLLABLE = f"[{CONSONANTS}][{VOWELS}]"
CODE = re.compile(rf"(?:{SYLLABLE}){{{EACH}}}(?:-(?:{SYLLABLE}){{{EACH}}}){{{GROUPS - 1}}}", re.ASCII)
# What hurts to be called by, in the languages that were thought of; a code with one of them is made anew.
NEVER = re.compile("rape|put[aeo]|kak[aeo]|hure|hor[ae]|homo|suk[aeo]|fuk|fag|teta|mata|mate|mato|peze|bebe|gaga|pupu")


def fresh() -> str:
    """A code that was not there before, such as "bafuko-tezara"."""
    while True:
        code = "-".join("".join(_syllable() for _ in range(EACH)) for _ in range(GROUPS))
        if not NEVER.search(code.replace("-", "")):
            return code


def _syllable() -> str:
    return secrets.choice(CONSONANTS) + secrets.choice(VOWELS)


def read(typed: str) -> str:
    """A code as somebody has typed it, capitals and blanks or not; empty for what is none."""
    letters = "".join(typed.casefold().replace("-", " ").split())
    code = "-".join(letters[at : at + 2 * EACH] for at in range(0, len(letters), 2 * EACH)) if len(letters) == 2 * EACH * GROUPS else ""
    return code if CODE.fullmatch(code) else ""
