"""Decides the code lists that more than one feature speaks in: why and with what outcome people are referred, what support is asked for, on
which grounds something is shared. Codes are stored, words translated; HTCDS 2.0 and articles as in features/cases."""

from .errors import N_

REFERRAL_REASON = {
    "AdditionalServicesRequired": N_("Further services are needed"),
    "MigrationOrChangeOfLocation": N_("The person moves to another place"),
    "Other": N_("Other"),
}
REFERRAL_OUTCOME = {
    "Successful": N_("Successful"),
    "ClientRefused": N_("The person declined"),
    "LackOfCapacity": N_("Lack of capacity"),
    "NoLongerNeeded": N_("No longer needed"),
    "UnableToContactClient": N_("The person could not be reached"),
    "UnableToContactOrganisation": N_("The organisation could not be reached"),
    "Other": N_("Other"),
}
LAWFUL_BASIS = {
    "Consent": N_("Consent (Art. 6(1)(a))"),
    "Contract": N_("Contract with the person (Art. 6(1)(b))"),
    "LegalObligation": N_("Legal obligation (Art. 6(1)(c))"),
    "VitalInterests": N_("Vital interests of somebody (Art. 6(1)(d))"),
    "PublicTask": N_("Task in the public interest (Art. 6(1)(e))"),
    "LegitimateInterests": N_("Legitimate interests, weighed and written down (Art. 6(1)(f))"),
    "RecognisedLegitimateInterest": N_("Recognised legitimate interest: safeguarding (United Kingdom)"),
}
TRANSFER = {
    "WithinEEA": N_("Within the European Economic Area: no ground is needed"),
    "Adequacy": N_("The country's protection is recognised as adequate (Art. 45)"),
    "PublicInstrument": N_("Binding instrument between public authorities (Art. 46(2)(a))"),
    "StandardClauses": N_("Standard contractual clauses (Art. 46(2)(c), (d))"),
    "ExplicitConsent": N_("Explicit consent, told of the risks (Art. 49(1)(a))"),
    "PublicInterest": N_("Important reasons of public interest (Art. 49(1)(d))"),
    "LegalClaims": N_("Legal claims (Art. 49(1)(e))"),
    "VitalInterests": N_("Vital interests of a person who cannot consent (Art. 49(1)(f))"),
    "NationalLaw": N_("A ground of national law, where the GDPR does not apply"),
}
WITHOUT_CONSENT = {
    "Danger": N_("Somebody's life or health is in danger"),
    "ChildAtRisk": N_("A child is at risk"),
    "RequiredByLaw": N_("The law requires it"),
    "CourtOrder": N_("A court has ordered it"),
    "NoPersonalData": N_("Nothing in it tells who somebody is"),
    "Other": N_("Other"),
}
AGES = {
    "0-8": N_("0 to 8 years"),
    "9-17": N_("9 to 17 years"),
    "18-20": N_("18 to 20 years"),
    "21-23": N_("21 to 23 years"),
    "24-26": N_("24 to 26 years"),
    "27-29": N_("27 to 29 years"),
    "30-38": N_("30 to 38 years"),
    "39-47": N_("39 to 47 years"),
    "48+": N_("48 years or older"),
    "Unknown": N_("Age not known"),
}
SUPPORT = {
    "Education": N_("Education and training"),
    "Financial": N_("Financial support"),
    "Health": N_("Health care"),
    "LabourExploitationRehabilitation": N_("Recovery after labour exploitation"),
    "Legal": N_("Legal help"),
    "Livelihood": N_("Work and livelihood"),
    "RightsBasedTraining": N_("Information and training on rights"),
    "SexualExploitationRehabilitation": N_("Recovery after sexual exploitation"),
    "SocialCare": N_("Social care"),
}
