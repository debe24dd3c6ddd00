def greeting(hour: int) -> str:
    """The greeting of an hour, 0 to 23."""
    if 5 <= hour < 12:
        return "Good morning"
    if 12 <= hour < 18:
        return "Good afternoon"
    return "Good evening"
