"""Decides in which words the parts of a person's record are asked for; of a suspect, the ground and the law come first."""

from fedcollab.base.errors import N_

from .asked import Ask, Asked

ONLY = Ask(
    N_("Only for these"),
    N_("Choose nobody, and it is for all who need to know this part. Whoever you leave out sees that there is something, not what."),
    fold=N_("Only some of those who need to know it may see this"),
)
MORE = N_("More, where the work needs it")
CODES = N_("More codes, which other organisations use too")
SUSPECT = N_("Only for a suspect: the ground in law")
KEEP = N_("Keep this")
MAY_STAY_EMPTY = N_("Every field may stay empty. Write only what the work needs: what is not written here can’t fall into wrong hands.")
GROUND = Ask(
    N_("The ground in law"),
    N_("Data on a suspect needs a condition of its own besides the lawful basis (Art. 10). Without one, write nothing here."),
)
LAW = Ask(N_("Which law"), N_("The law, and which part of it. Ask whoever looks after data protection at yours."))

PEOPLE: dict[str, Asked] = {
    "person": Asked(
        N_("Add a person"),
        N_("They get a code, by which they are called in this case. No name is asked for here."),
        N_("Add the person"),
        {
            "role": Ask(
                N_("Who they are in this case"),
                N_("A potential victim is one whether or not an authority has said so, and whatever they call themselves."),
            ),
            "ground": GROUND._replace(depends=True, fold=SUSPECT),
            "law": LAW._replace(depends=True, fold=SUSPECT),
        },
    ),
    "identity": Asked(
        N_("Name and identity"),
        MAY_STAY_EMPTY,
        KEEP,
        {
            "name": Ask(N_("Name"), N_("As the person wants to be called.")),
            "age": Ask(N_("Age"), N_("Often enough. Where you are not sure whether somebody is a child, treat them as one.")),
            "languages": Ask(N_("Languages"), N_("With commas between, the one they like best first.")),
            "gender": Ask(N_("Gender"), N_("As the person says it.")),
            "also": Ask(N_("Other names"), N_("With commas between: as in papers, or as others call them."), fold=MORE),
            "born": Ask(N_("Day of birth"), N_("Only if it is needed."), fold=MORE),
            "citizen": Ask(N_("Citizen of"), N_("Countries, with commas between."), fold=MORE),
            "birth": Ask(N_("Born in"), N_("The country."), fold=MORE),
            "documents": Ask(N_("Papers"), N_("Which they have, and who keeps them. Numbers only if the work needs them."), fold=MORE),
            "notes": Ask(N_("More"), N_("Nothing about what happened, nor about health: these are parts of their own."), fold=MORE),
            "only": ONLY,
        },
    ),
    "safe-contact": Asked(
        N_("Safe contact"),
        N_("Ask the person. Whoever controlled them may read their messages, answer their phone or watch who visits them."),
        KEEP,
        {
            "nobody": Ask(
                N_("Nobody contacts this person"), N_("Whoever writes down a contact with them is asked about this."), depends=True
            ),
            "never": Ask(N_("Never"), N_("What must not be done: leave a message, call at a certain time, speak with somebody.")),
            "methods": Ask(N_("In these ways"), depends=True),
            "times": Ask(N_("When"), N_("Days and hours at which it is safe, and in which time zone.")),
            "address": Ask(N_("Number or address"), N_("Where it reaches nobody but them.")),
            "through": Ask(N_("Through whom"), N_("Somebody whom the person trusts, and what they know.")),
            "word": Ask(N_("A word to know each other by"), N_("Both sides say it first. Without it, end the call.")),
            "language": Ask(N_("In which language")),
            "only": ONLY,
        },
    ),
    "where": Asked(
        N_("Address and support arrangements"),
        N_("For nobody but those directly involved: a shelter’s address endangers everybody who lives there. Every field may stay empty."),
        KEEP,
        {
            "danger": Ask(N_("Danger there"), N_("Who may look for them, which ways and places they avoid.")),
            "address": Ask(N_("Where they live"), N_("Only if somebody on this case goes there.")),
            "country": Ask(N_("Country")),
            "arrangements": Ask(N_("Who supports them there"), N_("Whom to speak with, what was agreed.")),
            "only": ONLY,
        },
    ),
    "exploitation": Asked(
        N_("What happened"),
        N_(
            "Write what you know already. Nobody should have to tell it once more for this page. Every field may stay empty, "
            "and what is not known today may become known later or never."
        ),
        KEEP,
        {
            "account": Ask(
                N_("In words"), N_("Theirs, where you can. No opinion, no judgement, nothing that only serves curiosity."), N_("In words")
            ),
            "began": Ask(N_("From"), N_("About is good enough.")),
            "ended": Ask(N_("Until")),
            "countries": Ask(N_("In which countries"), N_("With commas between.")),
            "types": Ask(N_("Kinds of exploitation"), "", N_("In codes")),
            "sexual": Ask(N_("Where it was sexual exploitation"), fold=CODES),
            "labour": Ask(N_("Kind of work"), fold=CODES),
            "sectors": Ask(N_("Part of the economy"), fold=CODES),
            "means": Ask(N_("Means of control"), N_("What others did so that the person could not leave."), fold=CODES),
            "indicators": Ask(N_("Indicators of forced labour"), fold=CODES),
            "recruitment": Ask(N_("How it began"), fold=CODES),
            "relationship": Ask(N_("Who brought them into it"), fold=CODES),
            "status": Ask(N_("Has it been decided?"), N_("Support does not depend on it."), N_("What an authority has said")),
            "decided_by": Ask(N_("By whom")),
            "only": ONLY,
        },
    ),
    "health": Asked(
        N_("Health and needs"),
        MAY_STAY_EMPTY,
        KEEP,
        {
            "urgent": Ask(N_("Urgent"), N_("What everybody who meets the person has to know: allergies, danger to themselves, pregnancy.")),
            "needs": Ask(N_("What helps"), N_("An interpreter, a step-free way, a quiet room, somebody of the same gender.")),
            "conditions": Ask(N_("Conditions"), N_("Only what support depends on.")),
            "medicines": Ask(N_("Medicines")),
            "only": ONLY,
        },
    ),
    "suspicion": Asked(
        N_("What is said of a suspect"),
        N_("One thing a page. It may hurt somebody who has done nothing: keep apart what is known, where it is from, and what you think."),
        KEEP,
        {
            "ground": Ask(GROUND.label, GROUND.hint, N_("First: may it be kept?")),
            "law": LAW,
            "fact": Ask(
                N_("What is known"),
                N_("What was seen, heard or written, when and where. Nothing that you conclude."),
                N_("What is known"),
                depends=True,
            ),
            "source": Ask(
                N_("Where it is from"), N_("Who saw or said it. A person of this case by their code alone."), N_("The source"), depends=True
            ),
            "reliability": Ask(N_("How reliable the source is"), depends=True),
            "content": Ask(N_("How the source knows it"), depends=True),
            "handling": Ask(N_("How it may be handled"), depends=True),
            "opinion": Ask(
                N_("What you make of it"), N_("It is marked as an opinion wherever it is read."), N_("An opinion"), depends=True
            ),
            "only": ONLY,
        },
    ),
}
