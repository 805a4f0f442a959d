"""Decides the code lists of what is told of people in a case; codes are stored, words translated.

Codes follow the Human Trafficking Case Data Standard 2.0 of the International Organization for Migration (CC BY 4.0), which has not
looked at or endorsed this program; age bands and work those of the Counter Trafficking Data Collaborative, indicators those of the
International Labour Organization, sections of the economy ISIC rev. 4, grades those of the United Kingdom's 3x5x2. `ForcedCriminality`
is ours.
"""

from fedcollab.base import sector
from fedcollab.base.errors import N_

EXPLOITATION = {
    "ForcedLabour": N_("Forced labour"),
    "SexualExploitation": N_("Sexual exploitation"),
    "ChildLabour": N_("Child labour"),
    "ForcedMarriage": N_("Forced marriage"),
    "Servitude": N_("Slavery or servitude"),
    "ForcedMilitaryByNonStateActors": N_("Forced to fight or serve for armed groups"),
    "OrganRemoval": N_("Organ removal"),
    "ForcedBegging": N_("Forced begging"),
    "ForcedAdoption": N_("Forced or illegal adoption"),
    "Surrogacy": N_("Exploitative surrogacy"),
    "ForcedCriminality": N_("Forced criminality"),
    "Other": N_("Other"),
}
SEXUAL = {
    "Prostitution": N_("Exploitation in prostitution"),
    "Pornography": N_("Sexual abuse in pictures or films"),
    "RemoteInteractiveServices": N_("Sexual exploitation by live transmission"),
    "PrivateSexualServices": N_("Sexual exploitation in private"),
}
MEANS = {
    "PhysicalThreats": N_("Threats of violence"),
    "ThreatsLawEnforcement": N_("Threats of handing over to the authorities"),
    "ThreatensChildrenFamily": N_("Threats against children or family"),
    "DebtBondage": N_("Debt bondage"),
    "FalsePromises": N_("False promises"),
    "PhysicalAbuse": N_("Physical abuse"),
    "SexualAbuse": N_("Sexual abuse"),
    "TakesEarnings": N_("Takes away earnings"),
    "RestrictsFinancialAccess": N_("Restricts access to money"),
    "RestrictsMedicalCare": N_("Restricts medical care"),
    "WithholdsNecessities": N_("Withholds food, sleep or other necessities"),
    "RestrictsMovement": N_("Restricts movement"),
    "UsesChildren": N_("Uses the person's children"),
    "PsychologicalAbuse": N_("Psychological abuse"),
    "PsychoactiveSubstance": N_("Control by drugs, alcohol or medicines"),
    "ExcessiveWorkingHours": N_("Excessive working hours"),
    "WithholdsDocuments": N_("Withholds identity documents"),
    "Other": N_("Other"),
}
RECRUITMENT = {
    "AtAPlaceOfBusiness": N_("At a place of business"),
    "AtAnEducationalInstitution": N_("At a school or other place of learning"),
    "AtWork": N_("At work"),
    "ThroughOnlineSocialNetworks": N_("Through social networks online"),
    "ThroughAnOnlineAdvertisement": N_("Through an advertisement online"),
    "ThroughATelevisionAdvert": N_("Through an advertisement on television"),
    "ThroughANewspaperAdvert": N_("Through an advertisement in a newspaper"),
    "ThroughFamilyOrFamilyEvents": N_("Through family or a family event"),
    "ThroughFriendsOrSocialEvents": N_("Through friends or a social event"),
    "Other": N_("Other"),
}
RELATIONSHIP = {
    "Familial": N_("A relative"),
    "Acquainted": N_("Somebody known to the person"),
    "Unacquainted": N_("A stranger"),
}
STATUS = {
    "Possible": N_("Potential victim, not yet decided"),
    "Actual": N_("Identified as a victim"),
    "NotAVictim": N_("Not identified as a victim"),
}
DECIDED_BY = {
    "Police": N_("The police"),
    "NGO": N_("A non-governmental organisation"),
    "CourtOrProsecution": N_("A court or the prosecution"),
    "NonPoliceGovernmentalOrganization": N_("A public authority other than the police"),
    "Other": N_("Other"),
}
SECTORS = {
    "A": N_("Agriculture, forestry and fishing"),
    "B": N_("Mining and quarrying"),
    "C": N_("Manufacturing"),
    "D": N_("Electricity, gas, steam and air conditioning supply"),
    "E": N_("Water supply, sewerage and waste management"),
    "F": N_("Construction"),
    "G": N_("Wholesale and retail trade, repair of motor vehicles"),
    "H": N_("Transportation and storage"),
    "I": N_("Accommodation and food service"),
    "J": N_("Information and communication"),
    "K": N_("Finance and insurance"),
    "L": N_("Real estate"),
    "M": N_("Professional, scientific and technical activities"),
    "N": N_("Administrative and support services, such as cleaning and temporary work"),
    "O": N_("Public administration and defence"),
    "P": N_("Education"),
    "Q": N_("Human health and social work"),
    "R": N_("Arts, entertainment and recreation"),
    "S": N_("Other services, such as hair and beauty, laundry and repair"),
    "T": N_("Work in private households"),
    "U": N_("Embassies and international organisations"),
}
GENDER = {
    "Feminine": N_("Woman or girl"),
    "Masculine": N_("Man or boy"),
    "TransgenderFeminine": N_("Trans woman or girl"),
    "TransgenderMasculine": N_("Trans man or boy"),
    "NonConforming": N_("Non-binary or gender non-conforming"),
    "NonSpecifiedUnknown": N_("Not said or not known"),
}
AGES = sector.AGES
LABOUR = {
    "Agriculture": N_("Agriculture"),
    "Aquafarming": N_("Fishing and fish farming"),
    "Begging": N_("Begging"),
    "Construction": N_("Construction"),
    "DomesticWork": N_("Domestic work"),
    "Hospitality": N_("Hotels and restaurants"),
    "IllicitActivities": N_("Illegal activities"),
    "Manufacturing": N_("Manufacturing"),
    "MiningOrDrilling": N_("Mining or drilling"),
    "Peddling": N_("Street selling"),
    "Transportation": N_("Transport"),
    "Other": N_("Other"),
    "NotSpecified": N_("Work not specified"),
}
INDICATORS = {
    "AbuseOfVulnerability": N_("Abuse of vulnerability"),
    "Deception": N_("Deception"),
    "RestrictionOfMovement": N_("Restriction of movement"),
    "Isolation": N_("Isolation"),
    "PhysicalAndSexualViolence": N_("Physical and sexual violence"),
    "IntimidationAndThreats": N_("Intimidation and threats"),
    "RetentionOfIdentityDocuments": N_("Retention of identity documents"),
    "WithholdingOfWages": N_("Withholding of wages"),
    "DebtBondage": N_("Debt bondage"),
    "AbusiveWorkingAndLivingConditions": N_("Abusive working and living conditions"),
    "ExcessiveOvertime": N_("Excessive overtime"),
}
SUPPORT = sector.SUPPORT
SOURCE = {"1": N_("Reliable source"), "2": N_("Untested source"), "3": N_("Source that is not reliable")}
CONTENT = {
    "A": N_("Known directly to the source"),
    "B": N_("Known indirectly to the source, but corroborated"),
    "C": N_("Known indirectly to the source"),
    "D": N_("Not known whether it is true"),
    "E": N_("Suspected to be false"),
}
HANDLING = {"P": N_("May be shared where the law permits"), "C": N_("May be shared under conditions only")}
