"""Decides the code lists of stories: what a story may be used for, where, who has agreed and how; codes are stored, words translated."""

from fedcollab.base.errors import N_
from fedcollab.features.resources.words import TOPICS

USES = {
    "Learning": N_("Learning and training of staff"),
    "Awareness": N_("Telling the public about trafficking"),
    "Advocacy": N_("Asking authorities and lawmakers for change"),
    "Research": N_("Research"),
    "Fundraising": N_("Asking for donations"),
}
OURS, PARTNERS, PUBLIC = "OurLibrary", "PartnerLibraries", "PublicWeb"
CHANNELS = {
    OURS: N_("In our own library, for our own people"),
    PARTNERS: N_("In the libraries of our partner organisations"),
    PUBLIC: N_("On the web, where anybody can read it"),
    "Print": N_("In print"),
    "Spoken": N_("Told at an event or a training"),
    "SocialMedia": N_("In social media"),
    "Press": N_("In newspapers, radio or television"),
}
TOLD = {
    "OwnWords": N_("In the person's own words"),
    "Retold": N_("Told by us, and read back to the person"),
    "Composite": N_("Put together from what several people lived"),
}
AGREED_BY = {
    "Person": N_("The person"),
    "PersonAndGuardian": N_("The person, who is under 18, together with a guardian"),
    "SeveralPeople": N_("Each of the people whose story is in it"),
}
AGREED_HOW = {
    "Written": N_("In writing"),
    "Recorded": N_("In a recording"),
    "Witnessed": N_("Aloud, before a second member of staff"),
}
CHECKS = {
    "names": N_("No name, nickname or first name stands in it, of the person, their family, or who hurt or helped them."),
    "places": N_("No place is smaller than a region or a large city: no village, street, shelter, workplace, school or church."),
    "times": N_("No exact day stands in it, and no age or duration that fits one person alone."),
    "looks": N_("Nothing of the body or the voice: scars, tattoos, illness, a way of speaking."),
    "work": N_("No employer, recruiter, ship, vehicle, page or account by name."),
    "case": N_("Nothing that is known from a court case, the press or social media leads to the person."),
    "family": N_("Family, children, origin and faith are told so that they fit many people."),
    "danger": N_("Somebody who looks for this person would not recognise them."),
    "read": N_("The person has read this text, or heard it in their language, as it stands now."),
}


def topics() -> dict[str, str]:
    """The library's topics that stories have too."""
    return TOPICS
