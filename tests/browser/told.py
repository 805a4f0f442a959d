"""Decides what the pages of stories and of the two flows show: a story to be checked, one in the library, one taken back."""

from typing import TYPE_CHECKING

from fedcollab.base.clock import DAY
from fedcollab.features.resources.stories import code, ending, telling
from fedcollab.features.resources.stories.shelf import Draft
from fedcollab.features.resources.stories.telling import Agreed
from fedcollab.features.resources.stories.words import CHECKS

if TYPE_CHECKING:
    from .scene import Scene

USES = (("Learning", "OurLibrary"), ("Learning", "PartnerLibraries"), ("Awareness", "Spoken"))
TEXT = """They said that the papers were safer with them. I believed it for a month.

Then Sokha Prak told me to ring +855 12 345 678 if I wanted them back. I did not ring. I walked to the bus in Battambang on 4 March 2024."""
CHECKED = "They said that the papers were safer with them. I believed it for a month, and then I walked to the bus."


async def tell(made: "Scene") -> None:
    """Daan writes, Ilse checks; of those that stand in the library one wants its person asked
    again and one has other words that wait; another one was taken back."""
    busy, ilse, daan = made.busy, made.people["ilse"], made.people["daan"]
    now = busy.kernel.node.now()

    async def write(title: str, text: str, days: int = 3) -> tuple[str, str]:
        draft = Draft(title, text, "en", ("KH",), ("DomesticServitude",))
        told: tuple[str, str] = await busy.write(
            telling.write, daan, draft, Agreed("OwnWords", "Person", "Witnessed", now - days * DAY, USES)
        )
        return told

    made.places["story"], _ = await write("The papers were safer with them", TEXT)
    stands, made.places["code"] = await write("I walked to the bus", CHECKED, 350)
    made.places["story_told"] = stands
    made.places["story_resource"] = await busy.write(telling.check, ilse, stands, set(CHECKS), "TLP:GREEN")
    made.places["story_changed"], _ = await write("The bus", CHECKED)
    await busy.write(telling.check, ilse, made.places["story_changed"], set(CHECKS), "TLP:AMBER+STRICT")
    await busy.write(telling.change, daan, made.places["story_changed"], Draft("The bus", CHECKED, "en", ("KH",), ()))
    gone, made.places["code_gone"] = await write("A month", CHECKED)
    await busy.write(telling.check, ilse, gone, set(CHECKS), "TLP:GREEN")
    await busy.write(ending.take_back, code.read(made.places["code_gone"]), [])
    made.places["story_gone"] = gone
