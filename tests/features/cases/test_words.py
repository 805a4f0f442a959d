"""The code lists: none of the field's vocabularies is lost, each code has a word."""

from typing import Any

import pytest

from fedcollab.features.cases import grounds, words

LISTS: dict[str, tuple[dict[str, str], str]] = {
    "exploitation": (
        words.EXPLOITATION,
        (
            "ForcedLabour SexualExploitation ChildLabour ForcedMarriage Servitude ForcedMilitaryByNonStateActors OrganRemoval "
            "ForcedBegging ForcedAdoption Surrogacy Other ForcedCriminality"
        ),
    ),
    "sexual exploitation": (words.SEXUAL, "Prostitution Pornography RemoteInteractiveServices PrivateSexualServices"),
    "means of control": (
        words.MEANS,
        (
            "PhysicalThreats ThreatsLawEnforcement ThreatensChildrenFamily DebtBondage FalsePromises PhysicalAbuse SexualAbuse "
            "TakesEarnings RestrictsFinancialAccess RestrictsMedicalCare WithholdsNecessities RestrictsMovement UsesChildren "
            "PsychologicalAbuse PsychoactiveSubstance ExcessiveWorkingHours WithholdsDocuments Other"
        ),
    ),
    "recruitment": (
        words.RECRUITMENT,
        (
            "AtAPlaceOfBusiness AtAnEducationalInstitution AtWork ThroughOnlineSocialNetworks ThroughAnOnlineAdvertisement "
            "ThroughATelevisionAdvert ThroughANewspaperAdvert ThroughFamilyOrFamilyEvents ThroughFriendsOrSocialEvents Other"
        ),
    ),
    "relationship": (words.RELATIONSHIP, "Familial Acquainted Unacquainted"),
    "status": (words.STATUS, "Possible Actual NotAVictim"),
    "decided by": (words.DECIDED_BY, "Police NGO CourtOrProsecution NonPoliceGovernmentalOrganization Other"),
    "sectors": (words.SECTORS, "A B C D E F G H I J K L M N O P Q R S T U"),
    "case status": (grounds.CASE_STATUS, "Active FollowUp Closed ClosedReferred"),
    "referral reason": (grounds.REFERRAL_REASON, "AdditionalServicesRequired MigrationOrChangeOfLocation Other"),
    "support": (
        words.SUPPORT,
        (
            "Education Financial Health LabourExploitationRehabilitation Legal Livelihood RightsBasedTraining "
            "SexualExploitationRehabilitation SocialCare"
        ),
    ),
    "organisation type": (
        grounds.ORGANISATIONS,
        (
            "NGO LawEnforcement HealthServiceOrganisation CentralGovernmentOrganisation LocalGovernmentOrganisation ImmigrationService "
            "LegalService CorporateBusiness SchoolOrCollege"
        ),
    ),
    "gender": (words.GENDER, "Feminine Masculine TransgenderFeminine TransgenderMasculine NonConforming NonSpecifiedUnknown"),
    "age bands": (words.AGES, "0-8 9-17 18-20 21-23 24-26 27-29 30-38 39-47 48+ Unknown"),
    "labour": (
        words.LABOUR,
        (
            "Agriculture Aquafarming Begging Construction DomesticWork Hospitality IllicitActivities Manufacturing MiningOrDrilling "
            "Peddling Transportation Other NotSpecified"
        ),
    ),
    "indicators": (
        words.INDICATORS,
        (
            "AbuseOfVulnerability Deception RestrictionOfMovement Isolation PhysicalAndSexualViolence IntimidationAndThreats "
            "RetentionOfIdentityDocuments WithholdingOfWages DebtBondage AbusiveWorkingAndLivingConditions ExcessiveOvertime"
        ),
    ),
    "source": (words.SOURCE, "1 2 3"),
    "content": (words.CONTENT, "A B C D E"),
    "handling": (words.HANDLING, "P C"),
    "lawful basis": (
        grounds.LAWFUL_BASIS,
        "Consent Contract LegalObligation VitalInterests PublicTask LegitimateInterests RecognisedLegitimateInterest",
    ),
    "outcome of a referral": (
        grounds.REFERRAL_OUTCOME,
        "Successful ClientRefused LackOfCapacity NoLongerNeeded UnableToContactClient UnableToContactOrganisation Other",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_no_code_of_the_fields_vocabularies_is_lost(name: str) -> None:
    here, codes = LISTS[name]
    assert sorted(here) == sorted(codes.split())


def lists(module: Any) -> dict[str, dict[str, str]]:
    return {name: found for name, found in vars(module).items() if name.isupper() and isinstance(found, dict)}


@pytest.mark.parametrize("module", [words, grounds], ids=["words", "grounds"])
def test_each_code_has_a_word_of_its_own_in_its_list(module: Any) -> None:
    for name, found in lists(module).items():
        assert len(set(found.values())) == len(found), name
        assert all(found.values()), name


def test_nobody_is_called_a_victim_before_it_was_decided() -> None:
    assert grounds.ROLES["PotentialVictim"] == "Potential victim"
    said = [text for module in (words, grounds) for found in lists(module).values() for text in found.values() if "victim" in text.lower()]
    assert sorted(said) == [
        "Identified as a victim",
        "Not identified as a victim",
        "Potential victim",
        "Potential victim, not yet decided",
    ]
