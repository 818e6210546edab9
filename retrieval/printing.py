"""Text that somebody else wrote, where a terminal or a line of a log shows it."""

import re

# What moves the cursor, ends a line or turns the order of letters round; and half characters.
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str, spared: str = "") -> str:
    """The text with escapes for what a terminal would obey; the `spared` characters stay."""

    def escape(found: re.Match[str]) -> str:
        one = found[0]
        return one if one in spared else one.encode("unicode_escape").decode()

    return _COMMANDS.sub(escape, text)
