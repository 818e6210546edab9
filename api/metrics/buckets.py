"""The classes that durations are counted in."""

DURATIONS = tuple(0.0005 * 2**at for at in range(19))
"""Upper bounds in seconds, each twice the one before: half a millisecond to 131 seconds."""
