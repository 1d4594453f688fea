"""Numbers of things, in words."""


def counted(number: int, one: str, many: str) -> str:
    """The number with the word that goes with it.

    >>> counted(1, "drill", "drills"), counted(1200, "drill", "drills")
    ('1 drill', '1,200 drills')
    """
    return f"{number:,} {one if number == 1 else many}"
