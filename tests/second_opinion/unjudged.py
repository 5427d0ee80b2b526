"""A call of which nobody can say what it needs."""


class Unjudged(Exception):
    """Nobody has written it down, or it speaks of what the template does not have."""
