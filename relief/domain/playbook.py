"""Reading a playbook: decoded whole, or refused with every fault named by its path."""

from __future__ import annotations

from relief.domain.errors import Invalid
from relief.domain.rules import APPROVERS as APPROVERS
from relief.domain.rules import CONDITIONS as CONDITIONS
from relief.domain.rules import Aid as Aid
from relief.domain.rules import Approval as Approval
from relief.domain.rules import Band as Band
from relief.domain.rules import Cap as Cap
from relief.domain.rules import Confirmation as Confirmation
from relief.domain.rules import Document as Document
from relief.domain.rules import Extra as Extra
from relief.domain.rules import Figure as Figure
from relief.domain.rules import Floor as Floor
from relief.domain.rules import Gate as Gate
from relief.domain.rules import Minutes as Minutes
from relief.domain.rules import Playbook as Playbook
from relief.domain.rules import Procedure as Procedure
from relief.domain.rules import Rate as Rate
from relief.domain.rules import Referral as Referral
from relief.domain.rules import Season as Season
from relief.domain.rules import Stage as Stage
from relief.domain.rules import Stop as Stop
from relief.domain.rules import Text as Text
from relief.domain.rules import Word as Word
from relief.domain.scrutiny import faults
from relief.domain.toml import decode


def read(text: str) -> Playbook:
    """Decode and check the TOML of a playbook; raises Invalid `playbook` whose lines are `path: sentence`.

    `toml.lines(text, faults)` says where in the file each of them is.
    """
    playbook = decode(text, Playbook, "playbook")
    if found := list(faults(playbook)):
        raise Invalid("playbook", "\n".join(found), faults=found)
    return playbook
