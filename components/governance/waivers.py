"""Exceptions from the policy: which violations they cover, and when they end."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase

from .policy import Policy
from .policy_parts import Waiver
from .rules import Violation

NOTICE = timedelta(days=14)


def waived(
    found: Sequence[Violation], policy: Policy, today: date, logger: logging.Logger
) -> tuple[list[Violation], list[tuple[Violation, Waiver]]]:
    """The violations that stay, with one for each waiver that has expired; and those that are waived.

    Waivers that cover nothing, or end within two weeks, are logged as warnings.

    Args:
        found: All violations.
        policy: The policy with its waivers.
        today: The day that expiry dates are compared with.
        logger: Takes the warnings.
    """
    covers: dict[Violation, Waiver] = {}
    expired = []
    for index, waiver in enumerate(policy.waivers):
        place = policy.place("waivers", index)
        covered = [v for v in found if v.rule == waiver.rule and fnmatchcase(v.asset, waiver.asset)]
        if waiver.expires < today:
            message = (
                f"the waiver of {waiver.rule} for {waiver.asset} expired on {waiver.expires}; "
                f"{waiver.owner} either mends the assets and removes it, or sets a later date"
            )
            expired.append(Violation(place, "waiver", message, place))
            continue
        if not covered:
            logger.warning(f"{place}: the waiver of {waiver.rule} for {waiver.asset} covers nothing; remove it")
        elif waiver.expires - today <= NOTICE:
            logger.warning(
                f"{place}: the waiver of {waiver.rule} for {waiver.asset} ends on {waiver.expires}; "
                f"from the next day on it is a violation ({waiver.owner}: {waiver.reason})"
            )
        covers |= dict.fromkeys(covered, waiver)
    return [*(violation for violation in found if violation not in covers), *expired], list(covers.items())
