"""Decides the code lists of the case itself: how it stands, why it may be kept and shared, how it ends; codes are stored, words translated.

Articles are those of the GDPR, which the United Kingdom's has too, except where a word says otherwise. Codes of a case's status, of
referrals and of organisations follow HTCDS 2.0, see `words`.
"""

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.base import sector
from fedcollab.base.errors import N_

LABELS = {AMBER: N_("Named organisations"), STRICT: N_("Only these organisations' own people"), RED: N_("Named people")}
CASE_STATUS = {
    "Active": N_("Active case"),
    "FollowUp": N_("Follow-up"),
    "Closed": N_("Closed case"),
    "ClosedReferred": N_("Closed, referred to others"),
}
ENDED = {code: CASE_STATUS[code] for code in ("Closed", "ClosedReferred")}
REFERRAL_REASON = sector.REFERRAL_REASON
REFERRAL_OUTCOME = sector.REFERRAL_OUTCOME
ORGANISATIONS = {
    "NGO": N_("Non-governmental organisation"),
    "LawEnforcement": N_("Law enforcement"),
    "HealthServiceOrganisation": N_("Health service"),
    "CentralGovernmentOrganisation": N_("Central government"),
    "LocalGovernmentOrganisation": N_("Local government"),
    "ImmigrationService": N_("Immigration service"),
    "LegalService": N_("Legal service"),
    "CorporateBusiness": N_("Company"),
    "SchoolOrCollege": N_("School or college"),
}
LAWFUL_BASIS = sector.LAWFUL_BASIS
SPECIAL = {
    "ExplicitConsent": N_("Explicit consent (Art. 9(2)(a))"),
    "SocialProtectionLaw": N_("Employment, social security and social protection law (Art. 9(2)(b))"),
    "VitalInterests": N_("Vital interests of a person who cannot consent (Art. 9(2)(c))"),
    "NotForProfitBody": N_("Not-for-profit body, of its members and those in regular contact with it (Art. 9(2)(d))"),
    "MadePublic": N_("Made public by the person (Art. 9(2)(e))"),
    "LegalClaims": N_("Legal claims and courts (Art. 9(2)(f))"),
    "SubstantialPublicInterest": N_("Substantial public interest, such as safeguarding, with a basis in law (Art. 9(2)(g))"),
    "HealthOrSocialCare": N_("Health or social care (Art. 9(2)(h))"),
    "PublicHealth": N_("Public health (Art. 9(2)(i))"),
    "ArchivingResearchStatistics": N_("Archives, research and statistics (Art. 9(2)(j))"),
    "NationalLaw": N_("A condition of national law, where the GDPR does not apply"),
}
CRIMINAL = {
    "OfficialAuthority": N_("Under the control of official authority (Art. 10)"),
    "AuthorisedByLaw": N_("Authorised by law with safeguards for rights and freedoms (Art. 10)"),
    "SafeguardingUK": N_("Safeguarding of children and of individuals at risk (United Kingdom, DPA 2018, Schedule 1)"),
    "PreventingUnlawfulActsUK": N_("Preventing or detecting unlawful acts (United Kingdom, DPA 2018, Schedule 1)"),
    "LegalClaimsUK": N_("Legal claims (United Kingdom, DPA 2018, Schedule 1)"),
    "NationalLaw": N_("A condition of national law, where the GDPR does not apply"),
}
TRANSFER = sector.TRANSFER
WITHOUT_CONSENT = sector.WITHOUT_CONSENT
CAPACITY = {
    "Adult": N_("An adult who decides"),
    "Child": N_("A child"),
    "WithoutCapacity": N_("An adult who cannot decide this at present"),
}
DECIDERS = {
    "Self": N_("The person"),
    "Parent": N_("A parent"),
    "Guardian": N_("A guardian"),
    "Court": N_("A court"),
    "SocialServices": N_("Child protection or social services"),
    "Other": N_("Other"),
}
HOW_CONSENTED = {
    "Written": N_("In writing"),
    "Spoken": N_("Spoken, noted by us"),
    "Interpreter": N_("Spoken, through an interpreter"),
}
ROLES = {"PotentialVictim": N_("Potential victim"), "Suspect": N_("Suspect"), "Other": N_("Another person")}
PARTS = {
    "identity": N_("Name and identity"),
    "contact": N_("Safe contact"),
    "where": N_("Address and support arrangements"),
    "exploitation": N_("What happened"),
    "health": N_("Health and needs"),
    "suspicion": N_("What is said of a suspect"),
}
METHODS = {
    "Phone": N_("By phone"),
    "Text": N_("By text message"),
    "App": N_("By a messaging app"),
    "Email": N_("By e-mail"),
    "Meeting": N_("In a meeting"),
    "Through": N_("Through somebody whom the person trusts"),
    "Letter": N_("By letter"),
}
REACHED = {
    "Reached": N_("Reached"),
    "NotReached": N_("Not reached"),
    "SomebodyElse": N_("Somebody else answered"),
    "Unsafe": N_("Broken off, it was not safe"),
}
PROGRESS = {"Open": N_("To be done"), "UnderWay": N_("Under way"), "Done": N_("Done"), "Dropped": N_("Dropped")}
