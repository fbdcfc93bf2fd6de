"""What a run ends with when it cannot do what it was asked."""


class RefusalError(Exception):
    """What cannot be done, and what to do about it."""
