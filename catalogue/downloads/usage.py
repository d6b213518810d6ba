"""The rules by which downloads are counted: COUNTER Code of Practice 5.1, with the lists of robots and machines of COUNTER.

A machine (curl, wget, a script: somebody's own tool, see the Code of Practice for Research Data, section 7.8) is counted and
marked; a robot, which nobody sent for this dataset, is logged and not counted. Nothing here writes.
"""

import hashlib
import hmac
import re
from datetime import date, timedelta

import counter_robots

DOUBLE_CLICK = timedelta(seconds=30)
# The list is the least that must be left out, and its package minds capitals.
_CALLS_ITSELF_ROBOT = re.compile(r"bot\b|crawler|spider|externalagent", re.IGNORECASE)
# Makers of telephones whose names the list takes for robots.
_TELEPHONES = re.compile(r"motorola|cubot", re.IGNORECASE)


def visitor_digest(*, secret_key: str, day: date, address: str, agent: str) -> str:
    """Who came, for one day: tells visitors apart and leads back to nobody once the day's key cannot be guessed."""
    salt = hmac.digest(secret_key.encode(), f"faircat.usage.{day.isoformat()}".encode(), "sha256")
    return hmac.new(salt, f"{address}\n{agent}".encode(), hashlib.sha256).hexdigest()


def is_machine(agent: str) -> bool:
    return counter_robots.is_machine(agent)


def is_robot(agent: str) -> bool:
    """The list of robots has the tools of the list of machines in it too: those are no robots here."""
    agent = _TELEPHONES.sub("telephone", agent)
    is_listed = counter_robots.is_robot(agent) or _CALLS_ITSELF_ROBOT.search(agent) is not None
    return is_listed and not counter_robots.is_machine(agent)
