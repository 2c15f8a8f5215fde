"""Which accounts have not earned to be counted as a person of their own."""

from collections.abc import Mapping

YOUNG_DAYS = 30.0
"""An account younger than this counts as young."""
FEWEST_FOLLOWERS = 10
"""Where its age is not told, an account with fewer followers is taken for a young one: accounts that are made
to push something have neither, and nobody would hear what they say on their own."""


def is_young(engagement: Mapping[str, float]) -> bool:
    """By `author_age_days` where the provider tells it, else by `author_followers`; unknown is not young."""
    age = engagement.get("author_age_days")
    if age is not None:
        return age < YOUNG_DAYS
    followers = engagement.get("author_followers")
    return followers is not None and followers < FEWEST_FOLLOWERS
